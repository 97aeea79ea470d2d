# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The ROS 2 nodes: the only importer of rclpy."""
