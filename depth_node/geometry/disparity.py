# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Disparity (the network's sigmoid, 0 to 1) to depth and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LEAST_INVERSE = 1e-6
"""Keeps an infinite max_depth finite at disparity 0."""


def inverse_depth_range(min_depth: float, max_depth: float) -> tuple[float, float]:
    """Inverse depth at disparity 0 and its span up to disparity 1; `max_depth` may be infinite."""
    far = 1.0 / max_depth
    return far, 1.0 / min_depth - far


def disparity_to_depth(disparity: Tensor, min_depth: float, max_depth: float) -> Tensor:
    """Depth 1 / (1/max + (1/min - 1/max) * disparity), in the unit of the two bounds.

    With 0.1 and 100 this is the 0.01 + 9.99 s of monodepth2 and HR-Depth (their section on implementation);
    with 0.5 and infinity it is PackNet's sigmoid / 0.5.

    Args:
        disparity: any shape, values 0 to 1.
        min_depth: depth at disparity 1.
        max_depth: depth at disparity 0.

    Returns:
        Depth of the same shape.
    """
    far, span = inverse_depth_range(min_depth, max_depth)
    return 1.0 / (far + span * disparity).clamp_min(LEAST_INVERSE)


def resized_depth(disparity: Tensor, min_depth: float, max_depth: float, size: tuple[int, int] | None) -> Tensor:
    """Depth at another size: disparity, which is linear in inverse depth, is interpolated, exact on planes.

    Args:
        disparity: (B, 1, h, w), values 0 to 1.
        min_depth: depth at disparity 1.
        max_depth: depth at disparity 0.
        size: height and width of the result, by bilinear interpolation with half-pixel centres; None keeps its size.

    Returns:
        (B, 1, height, width), in the unit of the two bounds.
    """
    if size is not None and disparity.shape[-2:] != size:
        import torch.nn.functional as F

        disparity = F.interpolate(disparity, size, mode="bilinear", align_corners=False)
    return disparity_to_depth(disparity, min_depth, max_depth)


def depth_to_disparity(depth: Tensor, min_depth: float, max_depth: float) -> Tensor:
    """Inverse of `disparity_to_depth`; same shape."""
    far, span = inverse_depth_range(min_depth, max_depth)
    return (1.0 / depth - far) / span
