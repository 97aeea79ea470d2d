# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The seven depth metrics of the KITTI Eigen tables, and their mean over images.

Pure functions on matched pixels: any choice of pixels (crop, class, range) is made before or after, not here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_node.errors import EvaluationError

THRESHOLD = 1.25
ROOTED = (2, 3)
"""Positions of rmse and rmse_log: their root is taken after the mean over pixels."""


@dataclass(frozen=True)
class DepthMetrics:
    """Errors (lower is better): abs_rel, sq_rel [m], rmse [m], rmse_log; accuracies a1, a2, a3 (higher is better)."""

    abs_rel: float
    sq_rel: float
    rmse: float
    rmse_log: float
    a1: float
    a2: float
    a3: float


def pixel_errors(ground_truth: ArrayLike, prediction: ArrayLike) -> NDArray[np.float64]:
    """What each pixel adds to the seven metrics, so that any set of pixels can be averaged afterwards.

    Args:
        ground_truth: (N,) or any shape, metres, all positive.
        prediction: the same shape, metres, all positive.

    Returns:
        (7,N): |g - p| / g, (g - p)^2 / g, (g - p)^2, (ln g - ln p)^2, then 1 where max(g / p, p / g) < 1.25^k.

    Raises:
        EvaluationError: shapes differ, there is no pixel, or a depth is not positive and finite.
    """
    truth = np.asarray(ground_truth, dtype=np.float64)
    guess = np.asarray(prediction, dtype=np.float64)
    _check(truth, guess)
    truth, guess = truth.ravel(), guess.ravel()
    difference = truth - guess
    square = difference**2
    ratio = np.maximum(truth / guess, guess / truth)
    logarithm = np.log(truth) - np.log(guess)
    within = [ratio < THRESHOLD**k for k in (1, 2, 3)]
    return np.stack([np.abs(difference) / truth, square / truth, square, logarithm**2, *within])


def root_errors(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of `pixel_errors` over some pixels, (...,7), to the seven metrics in the order of `DepthMetrics`."""
    metrics = np.array(means, dtype=np.float64)
    metrics[..., ROOTED] = np.sqrt(metrics[..., ROOTED])
    return metrics


def metrics_of(errors: NDArray[np.float64]) -> DepthMetrics:
    """The seven metrics over the pixels of `pixel_errors`, (7,N)."""
    return DepthMetrics(*root_errors(errors.mean(axis=1)).tolist())


def depth_metrics(ground_truth: ArrayLike, prediction: ArrayLike) -> DepthMetrics:
    """Compute the seven metrics of Eigen et al. over one set of pixels.

    abs_rel = mean |g - p| / g, sq_rel = mean (g - p)^2 / g, rmse = sqrt(mean (g - p)^2),
    rmse_log = sqrt(mean (ln g - ln p)^2), a_k = share of pixels with max(g / p, p / g) < 1.25^k.

    Args:
        ground_truth: (N,) or any shape, metres, all positive.
        prediction: the same shape, metres, all positive.

    Raises:
        EvaluationError: shapes differ, there is no pixel, or a depth is not positive and finite.
    """
    return metrics_of(pixel_errors(ground_truth, prediction))


def mean_metrics(metrics: Iterable[DepthMetrics]) -> DepthMetrics:
    """Unweighted mean over images, as the field's tables; raises EvaluationError without any image."""
    rows = _rows(metrics)
    return DepthMetrics(*rows.mean(axis=0).tolist())


def pooled_metrics(metrics: Iterable[DepthMetrics], pixels: Sequence[int]) -> DepthMetrics:
    """Metrics over the pixels of all images together, each image with its number of pixels.

    Raises:
        EvaluationError: there is no image.
    """
    means = _rows(metrics)
    means[:, ROOTED] **= 2
    return DepthMetrics(*root_errors(np.average(means, axis=0, weights=pixels)).tolist())


def _rows(metrics: Iterable[DepthMetrics]) -> NDArray[np.float64]:
    rows = np.array([astuple(one) for one in metrics], dtype=np.float64)
    if not rows.size:
        raise EvaluationError("no image to average over: no frame had ground truth")
    return rows


def _check(truth: np.ndarray, guess: np.ndarray) -> None:
    if truth.shape != guess.shape:
        raise EvaluationError(f"ground truth {truth.shape} and prediction {guess.shape} differ in shape: resize first")
    if not truth.size:
        raise EvaluationError("no pixel to compare: the mask is empty")
    for name, depth in (("ground truth", truth), ("prediction", guess)):
        if not (np.isfinite(depth).all() and (depth > 0).all()):
            raise EvaluationError(f"{name} holds depths that are not positive and finite: mask or clamp them first")
