# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images to point clouds by PyTorch, on the CPU or a GPU."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depth_node.geometry.intrinsics import inverse_intrinsics
from depth_node.geometry.warp import pixel_grid
from depth_node.inference.cloud_layout import CloudLayout
from depth_node.inference.confidence import SURE
from depth_node.inference.transfer import to_host


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
        return self.points(to_host({"cloud": filled})["cloud"])

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
