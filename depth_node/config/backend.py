# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The names of what computes the networks."""

from __future__ import annotations

AUTO, TORCH = "auto", "torch"
BACKENDS = (AUTO, TORCH, "openvino", "onnxruntime")
