# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The names of what computes the networks, and of its arithmetic."""

from __future__ import annotations

from depth_node.errors import ConfigError

AUTO, TORCH = "auto", "torch"
BACKENDS = (AUTO, TORCH, "openvino", "onnxruntime")
PRECISIONS = ("fp32", "bf16", "fp16")


def check_precision(name: str, on_cpu: bool) -> str:
    """The arithmetic of the convolutions; 'auto' is fp32.

    Raises:
        ConfigError: the name is unknown, or the device cannot compute in it.
    """
    name = PRECISIONS[0] if name == AUTO else name
    if name not in PRECISIONS:
        raise ConfigError(f"precision '{name}' is unknown: use auto, {', '.join(PRECISIONS)}")
    if name == "fp16" and on_cpu:
        raise ConfigError("precision 'fp16' needs a CUDA device: use fp32 or bf16 on the CPU")
    return name
