# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Networks on disk: the safetensors container, depth and semantic checkpoints, the hub, the authors' files."""
