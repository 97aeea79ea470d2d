# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images to coloured, organised point clouds in the memory layout of sensor_msgs/PointCloud2."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depth_node.geometry.intrinsics import inverse_intrinsics
from depth_node.geometry.warp import pixel_grid
from depth_node.inference.confidence import SURE
from depth_node.inference.transfer import to_host

_OPTIONAL = {"label": "<u4", "confidence": "<f4"}
"""Fields that a cloud may have besides: a label of four bytes as PCL's PointXYZL wants it, confidence 0 to 1."""


def cloud_dtype(with_labels: bool = False, with_confidence: bool = False) -> np.dtype[np.void]:
    """Layout of a point: x y z in metres and rgb, whose bytes are blue, green, red, 0; then what else is wanted."""
    wanted = {"label": with_labels, "confidence": with_confidence}
    names = ["x", "y", "z", "rgb", *(name for name, is_wanted in wanted.items() if is_wanted)]
    return np.dtype([(name, _OPTIONAL.get(name, "<f4")) for name in names])


CLOUD_DTYPE, LABELLED_CLOUD_DTYPE = cloud_dtype(), cloud_dtype(with_labels=True)


class CloudPacker:
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
        device: torch.device | str = "cpu",
        with_confidence: bool = False,
    ) -> None:
        """Compute the rays of all pixels.

        Args:
            height: rows of the depth images.
            width: columns of the depth images.
            K: (3, 3) intrinsics of the depth images, pixels.
            with_labels: add the label field.
            stride: use every n-th pixel of every n-th row.
            device: where the depth images are.
            with_confidence: add the confidence field.
        """
        self.dtype = cloud_dtype(with_labels, with_confidence)
        self.with_labels, self.with_confidence = with_labels, with_confidence
        self.K = np.array(K, np.float64)
        self.shape = (height, width)
        self.stride = stride
        exact = torch.from_numpy(self.K)
        rays = (inverse_intrinsics(exact) @ pixel_grid(height, width, exact)).reshape(3, height, width)
        rays = rays[:, ::stride, ::stride]
        self._slopes = rays[:2].float().contiguous().to(device)
        self._lengths = rays.norm(dim=0).float().to(device)
        size = (*self._lengths.shape, self.dtype.itemsize // 4)
        self._cloud = torch.zeros(size, dtype=torch.float32, device=device)
        self._bytes = self._cloud.view(torch.uint8)

    def matches(self, height: int, width: int, K: NDArray[np.float64]) -> bool:
        """Whether these rays are those of a depth image with this size and these intrinsics."""
        return self.shape == (height, width) and np.array_equal(self.K, K)

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

    def points(self, filled: NDArray[np.float32]) -> NDArray[np.void]:
        """What `fill` returned, once it is on the host, as a structured array of `dtype` (a view)."""
        return filled.view(self.dtype)[..., 0]

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
        """Fill the cloud from one depth image, on the device.

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
        if (labels is not None) != self.with_labels:
            raise ValueError("labels go with a packer that was made with labels, and with no other")
        if confidence is None and (self.with_confidence or min_confidence):
            raise ValueError("a packer with confidence, and a least one, need it")
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


def drop_missing(cloud: NDArray[np.void]) -> NDArray[np.void]:
    """The (n,) points that exist, as a copy."""
    return cloud[np.isfinite(cloud["z"])]
