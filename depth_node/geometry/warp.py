# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""View synthesis: see the target frame through a source camera (SfMLearner's inverse warping)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.geometry.intrinsics import inverse_intrinsics

NEAREST_Z = 1e-3
"""Points nearer than this (or behind the camera) are pushed here, so that their projection stays finite."""


def pixel_grid(height: int, width: int, like: Tensor) -> Tensor:
    """(3, height*width) homogeneous pixel centres (u, v, 1), row-major, with dtype and device of `like`."""
    v, u = torch.meshgrid(
        torch.arange(height, dtype=like.dtype, device=like.device),
        torch.arange(width, dtype=like.dtype, device=like.device),
        indexing="ij",
    )
    return torch.stack([u.reshape(-1), v.reshape(-1), torch.ones_like(u).reshape(-1)])


def backproject(depth: Tensor, K: Tensor) -> Tensor:
    """3-D points of a depth map in its own camera's optical frame.

    Args:
        depth: (B, 1, H, W) along the optical axis.
        K: (B, 3, 3) intrinsics of the depth map, pixels.

    Returns:
        (B, 3, H, W) points x right, y down, z forward, in the unit of depth.
    """
    batch, _, height, width = depth.shape
    rays = inverse_intrinsics(K) @ pixel_grid(height, width, depth)
    return rays.reshape(batch, 3, height, width) * depth


def project(points: Tensor, K: Tensor) -> Tensor:
    """Pixel coordinates of 3-D points.

    Args:
        points: (B, 3, H, W) in the camera's optical frame.
        K: (B, 3, 3) intrinsics, pixels.

    Returns:
        (B, 2, H, W) pixel coordinates u, v.
    """
    image = (K @ points.flatten(2)).reshape_as(points)
    return image[:, :2] / image[:, 2:].clamp_min(NEAREST_Z)


@dataclass(frozen=True)
class Projection:
    """Where target pixels lie in a source image, for any depth: at depth * rays + offset, in homogeneous pixels.

    Equal to project(T backproject(depth)), but folded into depth * (K R K^-1 p) + K t, so that the full-size
    point cloud is never stored. In training it serves all scales.

    Attributes:
        rays: (B, 3, H, W).
        offset: (B, 3, 1, 1).
    """

    rays: Tensor
    offset: Tensor

    @classmethod
    def between(cls, K: Tensor, T_source_target: Tensor, height: int, width: int) -> Projection:
        """Make it of (B, 3, 3) intrinsics of both images, pixels, and (B, 4, 4) transforms from target to source."""
        batch = len(K)
        rotation = K @ T_source_target[:, :3, :3] @ inverse_intrinsics(K)
        rays = (rotation @ pixel_grid(height, width, K)).reshape(batch, 3, height, width)
        return cls(rays, (K @ T_source_target[:, :3, 3:]).reshape(batch, 3, 1, 1))

    def pixels(self, depth: Tensor) -> Tensor:
        """(B, 2, H, W) pixel coordinates u, v in the source image of a target with depth (B, 1, H, W)."""
        points = torch.addcmul(self.offset, self.rays, depth)
        return points[:, :2] / points[:, 2:].clamp_min(NEAREST_Z)


def source_pixels(depth: Tensor, K: Tensor, T_source_target: Tensor) -> Tensor:
    """Where each target pixel lies in the source image; see `Projection`.

    Args:
        depth: (B, 1, H, W) of the target.
        K: (B, 3, 3) intrinsics of both images, pixels.
        T_source_target: (B, 4, 4) maps target points into the source frame.

    Returns:
        (B, 2, H, W) pixel coordinates u, v in the source image.
    """
    return Projection.between(K, T_source_target, *depth.shape[-2:]).pixels(depth)


def sample(image: Tensor, pixels: Tensor, padding: str = "border") -> Tensor:
    """Bilinear look-up of an image at pixel coordinates.

    Args:
        image: (B, C, H, W).
        pixels: (B, 2, h, w) coordinates u, v in pixels of `image`.
        padding: 'border' (monodepth2, HR-Depth) or 'zeros' (TRI) outside the image.

    Returns:
        (B, C, h, w) sampled values.
    """
    height, width = image.shape[-2:]
    size = pixels.new_tensor([width - 1, height - 1]).reshape(1, 2, 1, 1)
    grid = (pixels * (2.0 / size) - 1.0).permute(0, 2, 3, 1)
    return F.grid_sample(image, grid, mode="bilinear", padding_mode=padding, align_corners=True)


def warp_image(source: Tensor, depth: Tensor, K: Tensor, T_source_target: Tensor, padding: str = "border") -> Tensor:
    """The target view, painted with the source image's colours.

    Args:
        source: (B, C, H, W) source image.
        depth: (B, 1, H, W) of the target.
        K: (B, 3, 3) intrinsics of both images.
        T_source_target: (B, 4, 4) maps target points into the source frame.
        padding: see `sample`.

    Returns:
        (B, C, H, W) image that equals the target where depth and motion are right and nothing moved.
    """
    return sample(source, source_pixels(depth, K, T_source_target), padding)
