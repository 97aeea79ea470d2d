# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the engine returns for one image."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depth_node.camera.network_view import NetworkView


@dataclass(frozen=True)
class Prediction:
    """Depth of one image and all that goes with it; tensors lie on the engine's device.

    Attributes:
        depth: (h, w) float32 metres along the optical axis; +Inf in the sky, where sky was asked for.
        valid: (h, w) bool, false where nothing is known. Sky is known: nothing is there.
        image: (h, w, 3) uint8 RGB at the size of `depth`.
        K: (3, 3) float64 intrinsics of `depth`, pixels; NaN where the camera is unknown.
        view: what the network saw of the picture, and the ratio of focal lengths that is in `depth`.
        labels: (h, w) uint8 class numbers; None without a semantic network, or when nothing needed them.
        confidence: (h, w) uint8, 255 sure; 0 where nothing is known; None when nothing needed it.
        rescaled: what depth was multiplied by after the network's own scale: the scale measured at run time.
        timings: seconds per stage, in the order in which they ran.
    """

    depth: Tensor
    valid: Tensor
    image: Tensor
    K: NDArray[np.float64]
    view: NetworkView
    labels: Tensor | None = None
    confidence: Tensor | None = None
    rescaled: float = 1.0
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """Rows of `depth`."""
        return self.depth.shape[0]

    @property
    def width(self) -> int:
        """Columns of `depth`."""
        return self.depth.shape[1]


class StageClock:
    """Measures consecutive stages; on CUDA it waits for each, as a host clock would only see the launches."""

    def __init__(self, device: torch.device) -> None:
        """Start the first stage now."""
        self._device = device
        self._last = time.perf_counter()
        self.timings: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """End a stage and start the next."""
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        self.timings[stage] = now - self._last
        self._last = now


def apply_range(depth: Tensor, valid: Tensor, minimum: float, maximum: float) -> Tensor:
    """Mark what a depth image must not claim to have measured.

    Args:
        depth: (h, w) metres.
        valid: (h, w) bool.
        minimum: nearer than this is -Inf, metres.
        maximum: farther than this is +Inf, metres.

    Returns:
        (h, w) metres, a new tensor; NaN where not `valid`.
    """
    ranged = torch.where(depth > maximum, math.inf, depth)
    ranged = torch.where(depth < minimum, -math.inf, ranged)
    return torch.where(valid, ranged, math.nan)
