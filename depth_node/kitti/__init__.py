# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The KITTI layout on disk: paths, formats, calibration files, splits, stereo pairs. The only place that knows them."""
