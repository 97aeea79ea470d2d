# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbags and videos: reading, finding topics, inspecting, saving what is left of damaged ones. No ROS needed."""
