# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Coloured, organised point clouds in the memory layout of sensor_msgs/PointCloud2, whichever library fills them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

_OPTIONAL = {"label": "<u4", "confidence": "<f4"}
"""Fields that a cloud may have besides: a label of four bytes as PCL's PointXYZL wants it, confidence 0 to 1."""

Array = TypeVar("Array")


def cloud_dtype(with_labels: bool = False, with_confidence: bool = False) -> np.dtype[np.void]:
    """Layout of a point: x y z in metres and rgb, whose bytes are blue, green, red, 0; then what else is wanted."""
    wanted = {"label": with_labels, "confidence": with_confidence}
    names = ["x", "y", "z", "rgb", *(name for name, is_wanted in wanted.items() if is_wanted)]
    return np.dtype([(name, _OPTIONAL.get(name, "<f4")) for name in names])


CLOUD_DTYPE, LABELLED_CLOUD_DTYPE = cloud_dtype(), cloud_dtype(with_labels=True)


class CloudLayout(ABC, Generic[Array]):
    """Back-projects depth images of one camera into a cloud that is allocated once.

    Attributes:
        dtype: layout of a point.
        with_labels: whether a point has the label field.
        with_confidence: whether it has the confidence field.
        K: (3, 3) intrinsics of the depth images, pixels.
        shape: (height, width) of the depth images, pixels.
        stride: every n-th pixel of every n-th row makes a point.
    """

    def __init__(
        self,
        height: int,
        width: int,
        K: NDArray[np.float64],
        with_labels: bool = False,
        stride: int = 1,
        with_confidence: bool = False,
    ) -> None:
        """Say what the cloud is like.

        Args:
            height: rows of the depth images.
            width: columns of the depth images.
            K: (3, 3) intrinsics of the depth images, pixels.
            with_labels: add the label field.
            stride: use every n-th pixel of every n-th row.
            with_confidence: add the confidence field.
        """
        self.dtype = cloud_dtype(with_labels, with_confidence)
        self.with_labels, self.with_confidence = with_labels, with_confidence
        self.K = np.array(K, np.float64)
        self.shape, self.stride = (height, width), stride

    def matches(self, height: int, width: int, K: NDArray[np.float64]) -> bool:
        """Whether these rays are those of a depth image with this size and these intrinsics."""
        return self.shape == (height, width) and np.array_equal(self.K, K)

    def points(self, filled: NDArray[np.float32]) -> NDArray[np.void]:
        """What `fill` returned, once it is on the host, as a structured array of `dtype` (a view)."""
        return filled.view(self.dtype)[..., 0]

    @abstractmethod
    def fill(
        self,
        depth: Array,
        image: Array,
        labels: Array | None = None,
        min_range: float = 0.0,
        max_range: float = math.inf,
        confidence: Array | None = None,
        min_confidence: int = 0,
        clear_range: float = 0.0,
    ) -> Array:
        """Fill the cloud from one depth image, where that lies.

        Args:
            depth: (h, w) metres along the optical axis; NaN, infinite and non-positive values give no point.
            image: (h, w, 3) uint8 RGB at the size of `depth`.
            labels: (h, w) uint8, needed when the packer was made with labels.
            min_range: points nearer to the camera centre than this are left out, metres.
            max_range: points farther from the camera centre than this are left out, metres.
            confidence: (h, w) uint8, needed when the packer was made with confidence or for `min_confidence`.
            min_confidence: points less sure than this (0 to 255) are left out.
            clear_range: distance from the camera centre of a point on each ray that ends at infinity or beyond
                `max_range`, metres; 0 for none.

        Returns:
            (h / stride, w / stride, itemsize / 4) float32, the bytes of the points; see `points`. It is the packer's
            own memory: the next call overwrites it.

        Raises:
            ValueError: labels are given to a packer without, or the other way round; or confidence is missing.
        """

    def check(self, labels: Any, confidence: Any, min_confidence: int) -> None:
        """Raise ValueError where `fill` was not given what the layout needs."""
        if (labels is not None) != self.with_labels:
            raise ValueError("labels go with a packer that was made with labels, and with no other")
        if confidence is None and (self.with_confidence or min_confidence):
            raise ValueError("a packer with confidence, and a least one, need it")


def drop_missing(cloud: NDArray[np.void]) -> NDArray[np.void]:
    """The (n,) points that exist, as a copy."""
    return cloud[np.isfinite(cloud["z"])]
