# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The Eigen protocol for one image: resize, mask, scale, clamp. Pure functions on NumPy arrays.

`compare` keeps the matched pixels and their mask instead of going straight to numbers, so that the same
comparison can be cut further, by semantic class or by range, without scaling each part by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.config.evaluation import EvaluationConfig
from depth_node.errors import EvaluationError

# Garg et al. 2016: rows from, to and columns from, to as fractions of height and width.
GARG_CROP = (0.40810811, 0.99189189, 0.03594771, 0.96405229)


class NothingToCompareError(EvaluationError):
    """An image without truth inside the crop and the depth range."""


@dataclass(frozen=True)
class Comparison:
    """Truth and prediction of one image over its valid pixels, in row-major order of the mask.

    ground_truth (N,) and prediction (N,) in metres, the latter scaled and clamped; mask (H,W) bool with N true;
    ratio = median(truth) / median(prediction) before scaling, reported whether it was applied or not.
    """

    ground_truth: np.ndarray
    prediction: np.ndarray
    mask: np.ndarray
    ratio: float


def crop_window(crop: str, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns that count: 'garg' (375x1242 gives 153:371, 44:1197) or 'none' for the whole image."""
    if crop == "none":
        return slice(0, height), slice(0, width)
    top, bottom, left, right = GARG_CROP
    return slice(int(top * height), int(bottom * height)), slice(int(left * width), int(right * width))


def valid_mask(ground_truth: np.ndarray, config: EvaluationConfig) -> np.ndarray:
    """Pixels to compare, (H,W) bool: inside the crop, min_depth < truth and (unless switched off) truth < cap.

    Args:
        ground_truth: (H,W) metres; 0, NaN and Inf mean not measured.
        config: crop and range.
    """
    inside = np.zeros(ground_truth.shape, dtype=bool)
    inside[crop_window(config.crop, *ground_truth.shape)] = True
    far = config.cap if config.cap_ground_truth else np.inf
    return inside & (ground_truth > config.min_depth) & (ground_truth < far)


def resize_depth(depth: np.ndarray, height: int, width: int) -> NDArray[np.float32]:
    """Bring a predicted depth (h,w) to (height,width), float32 metres, by bilinear resizing of its inverse.

    The network's output is an affine inverse depth, so this equals resizing the disparity and inverting it
    afterwards, whatever the scale. Interpolating depth itself would pull object edges towards the background.
    """
    with np.errstate(divide="ignore"):
        inverse: np.ndarray = 1.0 / np.asarray(depth, dtype=np.float32)
        if inverse.shape != (height, width):
            inverse = cv2.resize(inverse, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(1.0 / inverse, np.float32)


def compare(ground_truth: np.ndarray, prediction: np.ndarray, config: EvaluationConfig) -> Comparison:
    """Match one prediction with its truth: resize, mask, scale by the medians, clamp (steps 2 to 5 of the protocol).

    Args:
        ground_truth: (H,W) metres; 0, NaN and Inf mean not measured.
        prediction: (h,w) metres or, with median scaling, any unit; resized to (H,W) through its inverse.
        config: crop, range and whether to scale.

    Raises:
        NothingToCompareError: no pixel of the truth is valid.
        EvaluationError: the prediction is not a positive number there.
    """
    mask, resized = valid_mask(ground_truth, config), resize_depth(prediction, *ground_truth.shape)
    if config.fit == "crop":  # what the network does not see cannot be held against it, but is not measured either
        mask &= ~np.isnan(resized)
    truth = ground_truth[mask].astype(np.float64)
    guess = resized[mask].astype(np.float64)
    if not truth.size:
        raise NothingToCompareError("no pixel of the ground truth is inside the crop and the depth range")
    if not (guess > 0).all():
        raise EvaluationError("the prediction is not a positive number on every pixel with ground truth")
    ratio = float(np.median(truth) / np.median(guess))
    if not ratio > 0:
        raise EvaluationError("the prediction is infinite on half of the pixels with ground truth")
    if config.median_scaling:
        guess = guess * ratio
    return Comparison(truth, np.clip(guess, config.min_depth, config.cap), mask, ratio)
