# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metres at run time: what says how long a network unit is, which of it to believe, and how steady it is.

Knows no ROS: the live node feeds it, and experiments feed it the same way from simulated drives.
"""
