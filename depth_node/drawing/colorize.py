# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth, disparity and classes as colours for people: near is bright, far is dark, unknown is black."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.config.classes import ClassMap

COLOR_MAP = cv2.COLORMAP_MAGMA
LIMITS = (1.0, 97.0)
"""Percentiles of inverse depth shown as the two ends of the colours: outliers must not flatten the rest."""

DECIMATION = 4
"""Limits are taken from every n-th pixel of every n-th row: sorting all of them would cost more than colouring."""


def colorize_depth(
    depth: NDArray[np.float32], near: float | None = None, far: float | None = None
) -> NDArray[np.uint8]:
    """Colours of a depth image, linear in inverse depth.

    Args:
        depth: (h, w) metres; NaN is black, +Inf as dark and -Inf as bright as the colours go.
        near: depth of the brightest colour, metres; None takes it from the image.
        far: depth of the darkest colour, metres; None takes it from the image. Give both for steady colours.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    inverse = _inverse(depth)
    low, high = _limits(inverse)
    return _paint(inverse, 1.0 / far if far else low, 1.0 / near if near else high)


def colorize_disparity(disparity: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Colours of (h, w) disparity or inverse depth of any scale, between its own limits: (h, w, 3) uint8 RGB."""
    disparity = np.asarray(disparity, np.float32)
    return _paint(disparity, *_limits(disparity))


def depth_limits(depth: NDArray[np.float32]) -> tuple[float, float]:
    """The `near` and `far` [m] that `colorize_depth` takes from a depth image when none are given."""
    low, high = _limits(_inverse(depth))
    return 1.0 / high, 1.0 / low if low > 0 else np.inf


def _inverse(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    depth = np.asarray(depth, np.float32)
    with np.errstate(divide="ignore"):
        inverse = 1.0 / depth
    inverse[np.isneginf(depth)] = np.inf
    return inverse


def _limits(values: NDArray[np.float32]) -> tuple[float, float]:
    sample = values[::DECIMATION, ::DECIMATION]
    sample = sample[np.isfinite(sample) & (sample > 0)]
    if not sample.size:
        return 0.0, 1.0
    low, high = np.percentile(sample, LIMITS)
    return float(low), float(high)


def _paint(values: NDArray[np.float32], low: float, high: float) -> NDArray[np.uint8]:
    missing = np.isnan(values)
    level = (values - low) * (255.0 / max(high - low, 1e-9))
    level[missing] = 0.0
    colours = cv2.applyColorMap(np.clip(level, 0, 255).astype(np.uint8), COLOR_MAP)
    colours = cv2.cvtColor(colours, cv2.COLOR_BGR2RGB)
    colours[missing] = 0
    return np.asarray(colours, np.uint8)


def color_labels(labels: NDArray[np.uint8], classes: ClassMap) -> NDArray[np.uint8]:
    """Colours of a label image.

    Args:
        labels: (H, W) class numbers.
        classes: whose colours to use; numbers that it lacks are black.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(classes)] = classes.colors
    return palette[labels]
