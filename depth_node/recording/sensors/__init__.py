# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a bag holds beside pictures, in KITTI's formats: lidar scans and depth, motion, labels."""
