# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A prediction in PyTorch's tensors, on the CPU or a GPU: its point cloud, and its way to the host in one copy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depth_node.geometry.intrinsics import inverse_intrinsics
from depth_node.geometry.warp import pixel_grid
from depth_node.inference.confidence import SURE
from depth_node.inference.pointcloud import CloudLayout
from depth_node.inference.prediction import Prediction


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


class CloudPacker(CloudLayout[Tensor]):
    """See `CloudLayout`; on the device where the depth images are."""

    def __init__(
        self,
        height: int,
        width: int,
        K: NDArray[np.float64],
        with_labels: bool = False,
        stride: int = 1,
        device: torch.device | str = "cpu",
        with_confidence: bool = False,
    ) -> None:
        """Compute the rays of all pixels; see `CloudLayout`.

        Args:
            height: rows of the depth images.
            width: columns of the depth images.
            K: (3, 3) intrinsics of the depth images, pixels.
            with_labels: add the label field.
            stride: use every n-th pixel of every n-th row.
            device: where the depth images are.
            with_confidence: add the confidence field.
        """
        super().__init__(height, width, K, with_labels, stride, with_confidence)
        exact = torch.from_numpy(self.K)
        rays = (inverse_intrinsics(exact) @ pixel_grid(height, width, exact)).reshape(3, height, width)
        rays = rays[:, ::stride, ::stride]
        self._slopes = rays[:2].float().contiguous().to(device)
        self._lengths = rays.norm(dim=0).float().to(device)
        size = (*self._lengths.shape, self.dtype.itemsize // 4)
        self._cloud = torch.zeros(size, dtype=torch.float32, device=device)
        self._bytes = self._cloud.view(torch.uint8)

    def pack(
        self,
        depth: Tensor,
        image: Tensor,
        labels: Tensor | None = None,
        min_range: float = 0.0,
        max_range: float = math.inf,
        confidence: Tensor | None = None,
        min_confidence: int = 0,
        clear_range: float = 0.0,
    ) -> NDArray[np.void]:
        """The cloud of one depth image, on the host; arguments as `fill`.

        Returns:
            (h / stride, w / stride) structured array of `dtype`, x y z NaN where there is no point. On the CPU it is
            the packer's own memory: the next call overwrites it.
        """
        filled = self.fill(depth, image, labels, min_range, max_range, confidence, min_confidence, clear_range)
        return self.points(filled.cpu().numpy())

    @torch.inference_mode()
    def fill(
        self,
        depth: Tensor,
        image: Tensor,
        labels: Tensor | None = None,
        min_range: float = 0.0,
        max_range: float = math.inf,
        confidence: Tensor | None = None,
        min_confidence: int = 0,
        clear_range: float = 0.0,
    ) -> Tensor:
        """See `CloudLayout.fill`."""
        self.check(labels, confidence, min_confidence)
        step = self.stride
        z = depth[::step, ::step]
        distance = z * self._lengths
        seen = (z > 0) & torch.isfinite(z) & (distance >= min_range) & (distance <= max_range)
        if confidence is not None and min_confidence:
            seen &= confidence[::step, ::step] >= min_confidence
        shown = torch.where(seen, z, math.nan)
        if clear_range > 0:
            shown = torch.where((z == math.inf) | (distance > max_range), clear_range / self._lengths, shown)
        z = shown
        torch.mul(self._slopes[0], z, out=self._cloud[..., 0])
        torch.mul(self._slopes[1], z, out=self._cloud[..., 1])
        self._cloud[..., 2] = z
        self._bytes[..., 12:15] = image[::step, ::step].flip(-1)
        if labels is not None:
            self._bytes[..., 16] = labels[::step, ::step]
        if self.with_confidence and confidence is not None:
            torch.div(confidence[::step, ::step], SURE, out=self._cloud[..., -1])
        return self._cloud


def to_host(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    """Arrays with the values of tensors that lie on one device.

    Each copy from a GPU waits for all of its work: here the bytes of all tensors are joined there and travel together,
    into page-locked memory. On the CPU nothing is copied, and the arrays share the tensors' memory.

    Args:
        tensors: of any shapes and types, by name.
    """
    if all(tensor.device.type == "cpu" for tensor in tensors.values()):
        return {name: tensor.numpy() for name, tensor in tensors.items()}
    joined = join_bytes(tensors)
    host = torch.empty(joined.shape, dtype=torch.uint8, pin_memory=True)
    return split_bytes(host.copy_(joined).numpy(), tensors)


def join_bytes(tensors: Mapping[str, Tensor]) -> Tensor:
    """(n,) uint8, the bytes of all tensors in the order of `_aligned`."""
    return torch.cat([tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in _aligned(tensors).values()])


def split_bytes(joined: NDArray[np.uint8], tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    """Arrays that share the memory of what `join_bytes` made of `tensors`."""
    arrays, start = {}, 0
    for name, tensor in _aligned(tensors).items():
        stop = start + tensor.nbytes
        kind = torch.empty(0, dtype=tensor.dtype).numpy().dtype
        arrays[name], start = joined[start:stop].view(kind).reshape(tensor.shape), stop
    return arrays


def _aligned(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The widest types first: then each begins at a multiple of its own width."""
    return dict(sorted(tensors.items(), key=lambda item: -item[1].element_size()))
