# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Finding the frames whose depth became infinite, and leaving them out (docs/papers.md, Two-stage training)."""
