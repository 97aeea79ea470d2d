# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How well the depth of one picture agrees with that of the next: over all static pixels, moved as the camera moved.

The field's temporal consistency (TC) and optical-flow based warping error (OPW: Wang et al., Less is More, ACM MM 2022;
pixels count by exp(-50 difference of brightness squared)), with rigid motion in place of optical flow: what is static
should be where the camera's motion puts it, so that the change of depth by driving is no error.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.scale.depth_frame import DepthFrame, Matrix, NoReading
from depth_node.scale.weighted_median import weighted_median

CAP = 80.0
"""Metres beyond which depth is not compared, as in the field's tables."""
SHARPNESS = 50.0
LEAST_PIXELS = 200


@dataclass(frozen=True)
class Consistency:
    """How two consecutive predictions agree.

    Attributes:
        change: logarithm of the median ratio of depth to expected depth, the change of unit.
        error: weighted mean relative difference to expected depth.
        opw: weighted mean difference to expected depth, metres.
    """

    change: float
    error: float
    opw: float


def consistency(first: DepthFrame, second: DepthFrame, T_second_first: Matrix, cap: float = CAP) -> Consistency:
    """Compare two predictions whose depth is in the unit of the motion.

    Args:
        first: the earlier one.
        second: the later one.
        T_second_first: (4, 4) motion of the camera.
        cap: farthest expected depth that counts.

    Raises:
        NoReading: hardly any static pixel is seen in both.
    """
    rows, columns = first.size
    pixels = all_pixels(first)
    moved = moved_points(first, first.at(pixels), T_second_first)
    with np.errstate(divide="ignore", invalid="ignore"):
        there: Matrix = (moved / moved[:, 2:]) @ second.K[:2].T
    found = second.at(np.where(moved[:, 2:] > 0, there, np.nan))
    counts = np.isfinite(found) & (moved[:, 2] > 0) & (moved[:, 2] < cap)
    for frame, places in ((first, pixels), (second, there)):
        if frame.moving is not None:
            counts &= ~_at(frame.moving, places)
    if counts.sum() < LEAST_PIXELS:
        raise NoReading("hardly any static pixel is seen in both pictures")
    expected, seen = moved[counts, 2], found[counts].astype(np.float64)
    maps = there.astype(np.float32).reshape(rows, columns, 2)
    warped = cv2.remap(np.ascontiguousarray(second.gray), maps[..., 0], maps[..., 1], cv2.INTER_LINEAR)
    brightness = warped.ravel()[counts].astype(np.float64) - first.gray.ravel()[counts]
    weights = np.exp(-SHARPNESS * (brightness / 255.0) ** 2)
    ratios = seen / expected
    differences = np.abs(seen - expected)
    total = weights.sum()
    return Consistency(
        float(np.log(weighted_median(ratios, weights))),
        float((weights * differences / expected).sum() / total),
        float((weights * differences).sum() / total),
    )


def all_pixels(frame: DepthFrame) -> Matrix:
    """(h w, 2) x, y of every pixel, row by row."""
    rows, columns = frame.size
    grid: Matrix = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).astype(np.float64)
    return grid.reshape(-1, 2)


def moved_points(first: DepthFrame, depth: NDArray[np.floating], T_second_first: Matrix) -> Matrix:
    """(h w, 3) where every pixel of a picture, at (h w,) depth, lies in the next camera's frame."""
    points = first.rays(all_pixels(first)) * depth[:, None]
    return np.asarray(points @ T_second_first[:3, :3].T + T_second_first[:3, 3], np.float64)


def _at(mask: NDArray[np.bool_], places: NDArray[np.floating]) -> NDArray[np.bool_]:
    x, y = np.rint(np.nan_to_num(places, nan=0.0).clip(0, 1e6)).astype(np.int64).T
    return mask[y.clip(0, mask.shape[0] - 1), x.clip(0, mask.shape[1] - 1)]
