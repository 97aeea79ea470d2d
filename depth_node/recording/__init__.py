# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From bags to KITTI-style sequences: selection, writing, sensors beside the camera, journal, report."""
