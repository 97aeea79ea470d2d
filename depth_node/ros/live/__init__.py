# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The live node: camera in, depth and cloud out."""
