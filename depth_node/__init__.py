# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth from one camera for ROS 2. Importing this package loads neither torch nor rclpy."""

__version__ = "0.2.0"
