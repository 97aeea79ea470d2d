# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A semantic checkpoint that labels pictures. Importing this loads PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

STRIDE = 32
"""Sides of a semantic network's input are multiples of this."""


class CheckpointLabeller:
    """Runs a semantic network on the GPU where there is one."""

    def __init__(self, checkpoint: str) -> None:
        """Load a checkpoint by file or by name; raises CheckpointError."""
        from depth_node.checkpoints.semantic import load_semantic
        from depth_node.networks.semantic import fingerprint

        self._name = checkpoint
        self._info, self._network = load_semantic(checkpoint)
        self._fingerprint = fingerprint(self._network)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network.to(self._device)

    @torch.inference_mode()
    def labels(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W) class numbers of a picture (H, W, 3), seen at its own size rounded to the network's stride."""
        height, width = rgb.shape[:2]
        image = torch.from_numpy(np.ascontiguousarray(rgb)).to(self._device).permute(2, 0, 1)[None].float() / 255
        size = [max(round(side / STRIDE), 1) * STRIDE for side in (height, width)]
        image = interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)
        logits = self._network(image).logits
        return np.asarray(self._network.labels(logits, height, width)[0].cpu().numpy(), np.uint8)

    def record(self) -> dict[str, Any]:
        """Name and fingerprint of the network, and its classes in order of their numbers."""
        return {
            "checkpoint": self._name.rpartition("/")[2],
            "fingerprint": self._fingerprint,
            "classes": list(self._info.classes.names),
        }
