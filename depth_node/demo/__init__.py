# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The demonstration: the whole live chain on a simulated street, in separate processes over real DDS."""
