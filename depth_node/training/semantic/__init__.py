# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Training and scoring of semantic networks."""
