# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a camera gives: encodings, calibration, rectification, network input. Used live, by recorder and training."""
