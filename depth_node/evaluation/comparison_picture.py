# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a comparison: the image, predicted depth, measured depth and where they disagree."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.config.evaluation import EvaluationConfig
from depth_node.drawing.colorize import colorize_depth
from depth_node.evaluation.evaluate import ComparedFrame
from depth_node.evaluation.protocol import Comparison, resize_depth

Picture = NDArray[np.uint8]
WORST = 0.5
"""Relative error that gets the strongest colour."""
CAPTION_HEIGHT = 24
SHOWN = (2.0, 98.0)
"""Percentiles of measured depth at the two ends of the colours."""
SPOT = np.ones((3, 3), np.uint8)
"""A lidar point is drawn this large: single pixels vanish when the picture is shown smaller."""


def comparison_picture(frame: ComparedFrame, config: EvaluationConfig) -> Picture:
    """Four captioned panels, 2 x 2, each of the truth's size: image, prediction, truth, error.

    Prediction and truth share one colour scale; the prediction is scaled as it was for the metrics.

    Args:
        frame: what `compare_frames` yields.
        config: the protocol it was compared with.

    Returns:
        (2 (H + 24), 2 W, 3) uint8 RGB.
    """
    height, width = frame.truth.shape
    image: Picture = np.asarray(cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    factor = frame.comparison.ratio if config.median_scaling else 1.0
    prediction = resize_depth(frame.depth, height, width) * np.float32(factor)
    near, far = np.percentile(frame.comparison.ground_truth, SHOWN)
    colors = f"colours {near:.1f} to {far:.1f} m"
    panels = [
        (image, frame.name),
        (colorize_depth(prediction, near, far), f"predicted depth x {factor:.3f}, {colors}"),
        (colorize_depth(_enlarge_nearest(frame.truth), near, far), f"measured depth, {colors}"),
        (
            _error_over_image(frame.comparison, image),
            f"relative error, red {WORST:g} and more; abs_rel {frame.metrics.abs_rel:.3f}",
        ),
    ]
    captioned = [np.vstack([_caption(text, width), panel]) for panel, text in panels]
    return np.vstack([np.hstack(captioned[:2]), np.hstack(captioned[2:])])


def _enlarge_nearest(truth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Spread each measured pixel to its neighbours, the nearer one winning; (H,W) metres, NaN not measured."""
    inverse = np.nan_to_num(1.0 / truth, nan=0.0, posinf=0.0).astype(np.float32)
    spread = cv2.dilate(inverse, SPOT)
    with np.errstate(divide="ignore"):
        return np.where(spread > 0, 1.0 / spread, np.nan).astype(np.float32)


def _error_over_image(comparison: Comparison, image: Picture) -> Picture:
    """Relative error of the compared pixels, blue (none) to red, over the darkened image."""
    error: NDArray[np.floating] = np.full(comparison.mask.shape, -1.0, np.float32)
    error[comparison.mask] = np.abs(comparison.prediction / comparison.ground_truth - 1.0)
    error = np.asarray(cv2.dilate(error, SPOT), np.float32)
    levels = (np.clip(error / WORST, 0, 1) * 255).astype(np.uint8)
    colors = cv2.cvtColor(cv2.applyColorMap(levels, cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB)
    return np.where((error >= 0)[..., None], colors, image // 3).astype(np.uint8)


def _caption(text: str, width: int) -> Picture:
    strip = np.full((CAPTION_HEIGHT, width, 3), 255, np.uint8)
    needed = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)[0][0]
    size = min(0.5, (width - 12) / needed)  # narrow pictures: smaller rather than cut
    cv2.putText(strip, text, (6, 17), cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 1, cv2.LINE_AA)
    return strip
