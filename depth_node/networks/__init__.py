# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Both papers' networks, and the one guided forward pass. Nothing here knows a camera."""
