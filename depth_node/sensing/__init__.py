# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What other sensors than the camera give, and where they sit; knows no ROS."""
