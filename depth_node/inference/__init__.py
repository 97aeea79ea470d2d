# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From image and intrinsics to depth and cloud. No ROS here, and no losses."""
