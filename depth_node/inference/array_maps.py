# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a network's outputs to depth, classes and confidence in NumPy and OpenCV: the formulas' other form.

`geometry.disparity`, `networks.class_scores` and `inference.confidence` are the first; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.config.network import NetworkConfig
from depth_node.geometry.disparity import LEAST_INVERSE, inverse_depth_range
from depth_node.inference.confidence import BLUR, DOUBT, SURE, USUAL

Map = NDArray[np.float32]


def resized_map(values: Map, height: int, width: int) -> Map:
    """(h, w) to (height, width), bilinearly with half-pixel centres."""
    if values.shape == (height, width):
        return values
    return np.asarray(cv2.resize(np.ascontiguousarray(values), (width, height), interpolation=cv2.INTER_LINEAR))


def depth_map(disparity: Map, network: NetworkConfig) -> Map:
    """(h, w) disparity, 0 to 1, to depth in network units."""
    far, span = inverse_depth_range(network.min_depth, network.max_depth)
    inverse = np.maximum(np.float32(far) + np.float32(span) * disparity, np.float32(LEAST_INVERSE))
    return np.float32(1.0) / inverse


def best_class_map(scores: Map, height: int, width: int) -> NDArray[np.uint8]:
    """Most likely class of each pixel, (height, width), from (N, h, w) scores; of equals the first."""
    best = resized_map(scores[0], height, width)
    classes = np.zeros((height, width), np.uint8)
    for number in range(1, len(scores)):
        score = resized_map(scores[number], height, width)
        classes[score > best] = number
        best = np.maximum(best, score)
    return classes


def nearest_map(labels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """(h, w) classes at another size: each pixel takes that of the nearest centre."""
    rows, columns = (
        ((np.arange(wanted, dtype=np.float32) + np.float32(0.5)) * np.float32(given / wanted)).astype(np.int64)
        for given, wanted in zip(labels.shape, (height, width), strict=True)
    )
    return labels[rows[:, None], columns]


def doubt_map(disparities: Sequence[Map], network: NetworkConfig, scale: float) -> Map:
    """How much the scales disagree, see `confidence.uncertainty`.

    Args:
        disparities: (H / 2^i, W / 2^i) in 0..1, finest first, at least two.
        network: with the depth range.
        scale: metres per network unit.

    Returns:
        (H, W), 0 where all scales agree.
    """
    height, width = disparities[0].shape
    logs = np.stack([np.log(depth_map(resized_map(each, height, width), network)) for each in disparities])
    spread, kernel = logs.std(axis=0, ddof=1), (BLUR, BLUR)
    total, count = (
        cv2.boxFilter(values, -1, kernel, normalize=False, borderType=cv2.BORDER_CONSTANT)
        for values in (spread, np.ones_like(spread))
    )
    return np.asarray(total / count * np.sqrt(np.exp(logs[0]) * np.float32(scale / USUAL)), np.float32)


def confidence_map(doubt: Map) -> NDArray[np.uint8]:
    """Doubt to confidence, see `confidence.confidence_of`."""
    return np.rint(SURE * np.exp(-doubt / np.float32(DOUBT))).astype(np.uint8)
