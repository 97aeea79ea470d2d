# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A procedural street drive with exact depth, labels, poses and lidar."""
