"""The seven depth metrics of the KITTI Eigen tables, and their mean over images.

Pure functions on matched pixels: any choice of pixels (crop, class, range) is made before calling them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import ArrayLike

from depth_node.errors import EvaluationError

THRESHOLD = 1.25


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
    truth = np.asarray(ground_truth, dtype=np.float64)
    guess = np.asarray(prediction, dtype=np.float64)
    _check(truth, guess)
    difference = truth - guess
    ratio = np.maximum(truth / guess, guess / truth)
    return DepthMetrics(
        abs_rel=float(np.mean(np.abs(difference) / truth)),
        sq_rel=float(np.mean(difference**2 / truth)),
        rmse=float(np.sqrt(np.mean(difference**2))),
        rmse_log=float(np.sqrt(np.mean((np.log(truth) - np.log(guess)) ** 2))),
        a1=float(np.mean(ratio < THRESHOLD)),
        a2=float(np.mean(ratio < THRESHOLD**2)),
        a3=float(np.mean(ratio < THRESHOLD**3)),
    )


def mean_metrics(metrics: Iterable[DepthMetrics]) -> DepthMetrics:
    """Unweighted mean over images, as the field's tables; raises EvaluationError without any image."""
    rows = np.array([astuple(one) for one in metrics], dtype=np.float64)
    if not rows.size:
        raise EvaluationError("no image to average over: no frame had ground truth")
    return DepthMetrics(*(float(value) for value in rows.mean(axis=0)))


def _check(truth: np.ndarray, guess: np.ndarray) -> None:
    if truth.shape != guess.shape:
        raise EvaluationError(f"ground truth {truth.shape} and prediction {guess.shape} differ in shape: resize first")
    if not truth.size:
        raise EvaluationError("no pixel to compare: the mask is empty")
    for name, depth in (("ground truth", truth), ("prediction", guess)):
        if not (np.isfinite(depth).all() and (depth > 0).all()):
            raise EvaluationError(f"{name} holds depths that are not positive and finite: mask or clamp them first")
