# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A prediction in NumPy's arrays, and its point cloud; nothing here needs PyTorch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.geometry.intrinsics import pixel_rays
from depth_node.inference.confidence import SURE
from depth_node.inference.pointcloud import CloudLayout
from depth_node.inference.prediction import Prediction

Pixels = NDArray[Any]


class ArrayPrediction(Prediction[Pixels]):
    """See `Prediction`."""

    def ranged(self, minimum: float, maximum: float) -> Pixels:
        """See `Prediction.ranged`."""
        ranged = np.where(self.valid, self.depth, np.float32(math.nan))
        ranged[ranged > maximum] = math.inf
        ranged[ranged < minimum] = -math.inf
        return ranged

    def cloud_packer(self, with_labels: bool, stride: int, with_confidence: bool) -> ArrayCloudPacker:
        """See `Prediction.cloud_packer`."""
        return ArrayCloudPacker(self.height, self.width, self.K, with_labels, stride, with_confidence)

    def to_host(self, arrays: Mapping[str, Pixels]) -> dict[str, Pixels]:
        """The same arrays."""
        return dict(arrays)


class ArrayCloudPacker(CloudLayout[Pixels]):
    """See `CloudLayout`."""

    def __init__(
        self,
        height: int,
        width: int,
        K: NDArray[np.float64],
        with_labels: bool = False,
        stride: int = 1,
        with_confidence: bool = False,
    ) -> None:
        """Compute the rays of all pixels; arguments as `CloudLayout`."""
        super().__init__(height, width, K, with_labels, stride, with_confidence)
        rays = pixel_rays(height, width, self.K)[:, ::stride, ::stride]
        self._slopes = rays[:2].astype(np.float32)
        self._lengths = np.linalg.norm(rays, axis=0).astype(np.float32)
        self._cloud = np.zeros((*self._lengths.shape, self.dtype.itemsize // 4), np.float32)
        self._bytes = self._cloud.view(np.uint8)

    def fill(
        self,
        depth: Pixels,
        image: Pixels,
        labels: Pixels | None = None,
        min_range: float = 0.0,
        max_range: float = math.inf,
        confidence: Pixels | None = None,
        min_confidence: int = 0,
        clear_range: float = 0.0,
    ) -> Pixels:
        """See `CloudLayout.fill`."""
        self.check(labels, confidence, min_confidence)
        step = self.stride
        z = depth[::step, ::step]
        with np.errstate(invalid="ignore"):
            distance = z * self._lengths
            seen = (z > 0) & np.isfinite(z) & (distance >= min_range) & (distance <= max_range)
            if confidence is not None and min_confidence:
                seen &= confidence[::step, ::step] >= min_confidence
            shown = np.where(seen, z, np.float32(math.nan))
            if clear_range > 0:
                beyond = (z == math.inf) | (distance > max_range)
                shown = np.where(beyond, np.float32(clear_range) / self._lengths, shown)
            np.multiply(self._slopes[0], shown, out=self._cloud[..., 0])
            np.multiply(self._slopes[1], shown, out=self._cloud[..., 1])
        self._cloud[..., 2] = shown
        self._bytes[..., 12:15] = image[::step, ::step, ::-1]
        if labels is not None:
            self._bytes[..., 16] = labels[::step, ::step]
        if self.with_confidence and confidence is not None:
            np.divide(confidence[::step, ::step], np.float32(SURE), out=self._cloud[..., -1], dtype=np.float32)
        return self._cloud
