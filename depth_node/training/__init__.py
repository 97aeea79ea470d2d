# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Training: self-supervised from video, semantic from labels, pretraining from streets with exact depth."""
