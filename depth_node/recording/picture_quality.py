# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a picture is sharp and well exposed, from some rows and columns of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

LINES = 40
"""Share of rows looked at: one in a width's LINES-th part, at least one in four; half as many columns."""
BLACK, WHITE = 8, 247
"""Brightness at and beyond which a pixel shows nothing."""
REACH = 8
"""Pixels over which contrast is compared with that of neighbours."""


@dataclass(frozen=True)
class PictureQuality:
    """How good a picture is to learn from.

    Attributes:
        sharpness: fine detail relative to coarse contrast, along rows and along columns; a blur by motion lowers one.
        brightness: mean, 0 to 255.
        black: share of pixels too dark to show anything.
        white: share of pixels too bright to show anything.
    """

    sharpness: tuple[float, float]
    brightness: float
    black: float
    white: float


def measure_quality(image: NDArray[np.uint8]) -> PictureQuality:
    """Look at (H, W, 3) uint8; green stands for brightness."""
    step = max(image.shape[1] // LINES, 4)
    rows = np.ascontiguousarray(image[::step, :, 1])
    columns = np.ascontiguousarray(image[:, :: 2 * step, 1])  # dearer: every pixel of them is a cache line
    black, white = np.count_nonzero(rows <= BLACK) / rows.size, np.count_nonzero(rows >= WHITE) / rows.size
    sharpness = (
        _sharpness(cv2.Sobel(rows, cv2.CV_16S, 2, 0, ksize=1), rows[:, :-REACH], rows[:, REACH:]),
        _sharpness(cv2.Sobel(columns, cv2.CV_16S, 0, 2, ksize=1), columns[:-REACH], columns[REACH:]),
    )
    return PictureQuality(sharpness, float(cv2.mean(rows)[0]), black, white)


def _sharpness(curvature: NDArray[Any], one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean size of the second difference of neighbours over that of the difference of pixels `REACH` apart."""
    if not one.size:
        return 0.0
    coarse = cv2.norm(np.ascontiguousarray(one), np.ascontiguousarray(other), cv2.NORM_L1) / one.size
    fine = cv2.norm(curvature, cv2.NORM_L1) / curvature.size
    return float(fine / coarse) if coarse > 0 else 0.0
