# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What training reads: triplets of frames, labelled pictures, augmentation, cache."""
