# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A prediction in PyTorch's tensors, on the CPU or a GPU."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from depth_node.inference.pointcloud import CloudPacker
from depth_node.inference.prediction import Prediction
from depth_node.inference.transfer import to_host


class TensorPrediction(Prediction[Tensor]):
    """See `Prediction`; what is made of it stays on the device until `to_host`."""

    def ranged(self, minimum: float, maximum: float) -> Tensor:
        """See `Prediction.ranged`."""
        return apply_range(self.depth, self.valid, minimum, maximum)

    def cloud_packer(self, with_labels: bool, stride: int, with_confidence: bool) -> CloudPacker:
        """See `Prediction.cloud_packer`."""
        device = self.depth.device
        return CloudPacker(self.height, self.width, self.K, with_labels, stride, device, with_confidence)

    def to_host(self, arrays: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
        """See `Prediction.to_host`; one copy from a GPU."""
        return to_host(arrays)


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
