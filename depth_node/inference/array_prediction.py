# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A prediction in NumPy's arrays, and its point cloud; nothing here needs PyTorch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.geometry.intrinsics import pixel_rays
from depth_node.inference.confidence import SURE
from depth_node.inference.pointcloud import CloudLayout
from depth_node.inference.prediction import Prediction

Pixels = NDArray[Any]

BAND = 16
"""Rows that are filled at a time: their points stay in the cache while one field after the other is written."""
NO_ALPHA = np.uint32(0xFFFFFF)


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
        z, colors = depth[::step, ::step], image[::step, ::step]
        sure = None if confidence is None else confidence[::step, ::step]
        for top in range(0, len(z), BAND):
            rows = np.s_[top : top + BAND]
            with np.errstate(invalid="ignore"):
                distance = z[rows] * self._lengths[rows]
                seen = (z[rows] > 0) & np.isfinite(z[rows]) & (distance >= min_range) & (distance <= max_range)
                if sure is not None and min_confidence:
                    seen &= sure[rows] >= min_confidence
                shown = np.where(seen, z[rows], np.float32(math.nan))
                if clear_range > 0:
                    beyond = (z[rows] == math.inf) | (distance > max_range)
                    shown = np.where(beyond, np.float32(clear_range) / self._lengths[rows], shown)
                np.multiply(self._slopes[0, rows], shown, out=self._cloud[rows, :, 0])
                np.multiply(self._slopes[1, rows], shown, out=self._cloud[rows, :, 1])
            self._cloud[rows, :, 2] = shown
            bgra = cv2.cvtColor(np.ascontiguousarray(colors[rows]), cv2.COLOR_RGB2BGRA)
            np.bitwise_and(bgra.view("<u4")[..., 0], NO_ALPHA, out=self._cloud.view("<u4")[rows, :, 3])
            if labels is not None:
                self._bytes[rows, :, 16] = labels[::step, ::step][rows]
            if self.with_confidence and sure is not None:
                np.divide(sure[rows], np.float32(SURE), out=self._cloud[rows, :, -1], dtype=np.float32)
        return self._cloud
