# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Two-stage training: finding the frames whose depth became infinite, and leaving them out (fact sheet A.7)."""
