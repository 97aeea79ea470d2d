# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints for other runtimes: ONNX and torch.export, checked against the original."""
