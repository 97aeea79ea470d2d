# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How `depth export` writes a network."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class ExportConfig(Validated):
    """A network for other programs."""

    half: bool = setting(False, "store the weights in half precision, at half the size; *.safetensors only")
    batch: int = setting(1, "images per call of an *.onnx or *.pt2 network; 0 leaves it to the caller", low=0, high=64)
    verify: bool = setting(True, "run what was written and compare it with PyTorch before it is kept; *.onnx and *.pt2")
