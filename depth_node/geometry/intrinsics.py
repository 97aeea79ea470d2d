# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pinhole intrinsics `K` (..., 3, 3) in pixels of the image they travel with, pixel centres at integers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

    Matrix = TypeVar("Matrix", Tensor, NDArray[np.float64])


def scale_intrinsics(K: Matrix, scale_x: float, scale_y: float) -> Matrix:
    """Intrinsics after an image was resized by the given factors.

    A pixel covers half a pixel on each side of its integer centre, so the principal point moves as
    (c + 0.5) * scale - 0.5 while focal lengths (and skew) only scale.

    Args:
        K: (..., 3, 3) intrinsics in pixels, a tensor or an array.
        scale_x: new width / old width.
        scale_y: new height / old height.

    Returns:
        (..., 3, 3) intrinsics of the resized image.
    """
    scaled = 1.0 * K
    scaled[..., 0, :2] *= scale_x
    scaled[..., 1, 1] *= scale_y
    scaled[..., 0, 2] = (K[..., 0, 2] + 0.5) * scale_x - 0.5
    scaled[..., 1, 2] = (K[..., 1, 2] + 0.5) * scale_y - 0.5
    return scaled


def flip_intrinsics(K: Tensor, width: int) -> Tensor:
    """Intrinsics of the image mirrored left to right: c_x becomes width - 1 - c_x."""
    flipped = K.clone()
    flipped[..., 0, 2] = width - 1 - K[..., 0, 2]
    return flipped


def inverse_intrinsics(K: Tensor) -> Tensor:
    """Inverse of (..., 3, 3) pinhole intrinsics without skew, in closed form (stays exact in half precision)."""
    inverse = K.new_zeros(K.shape)
    fx, fy = K[..., 0, 0], K[..., 1, 1]
    inverse[..., 0, 0] = 1.0 / fx
    inverse[..., 1, 1] = 1.0 / fy
    inverse[..., 0, 2] = -K[..., 0, 2] / fx
    inverse[..., 1, 2] = -K[..., 1, 2] / fy
    inverse[..., 2, 2] = 1.0
    return inverse


def pixel_rays(height: int, width: int, K: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, height, width) directions of all pixels of a pinhole camera without skew, of length 1 along its axis."""
    x = (np.arange(width) - K[0, 2]) / K[0, 0]
    y = (np.arange(height) - K[1, 2]) / K[1, 1]
    return np.stack([*np.broadcast_arrays(x[None], y[:, None]), np.ones((height, width))])
