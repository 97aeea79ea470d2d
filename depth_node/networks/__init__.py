# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Both papers' networks and the checkpoint that stores them. Nothing here knows a camera."""
