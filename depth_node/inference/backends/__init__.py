# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What computes the networks: PyTorch itself, OpenVINO or onnxruntime, behind one interface."""
