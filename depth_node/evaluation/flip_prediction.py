# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint predicts for a frame, with post-processing by flip on request (docs/papers.md, Evaluation)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_node.config.evaluation import EvaluationConfig
from depth_node.inference.estimator import DepthEstimator

BORDER, RAMP = 0.05, 20.0
"""At each side one of the two predictions counts alone up to this share of the width, then fades at this rate."""


def open_estimator(checkpoint: Path, config: EvaluationConfig) -> DepthEstimator:
    """Load a checkpoint to be evaluated; raises CheckpointError and ConfigError."""
    return DepthEstimator.from_checkpoint(checkpoint, config.device, config.precision, config.fit)


def predict_depth(
    estimator: DepthEstimator, image: NDArray[np.uint8], K: NDArray[np.float64], flip: bool = False
) -> NDArray[np.float32]:
    """Depth of an image, (h,w) metres at the network's size; finite in the sky too.

    Where the network sees only a part of the image, at the image's size and NaN around it.

    Args:
        estimator: the network.
        image: (H,W,3) uint8 RGB.
        K: (3,3) intrinsics of `image`, pixels.
        flip: average with the prediction of the mirrored image.
    """
    depth = _estimate(estimator, image, K)
    if not flip:
        return depth
    mirrored_K = K.copy()
    mirrored_K[0, 2] = image.shape[1] - 1 - K[0, 2]
    mirrored = _estimate(estimator, image[:, ::-1], mirrored_K)[:, ::-1]
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / post_process(1.0 / depth, 1.0 / mirrored), np.float32)


def post_process(inverse: NDArray[np.floating], mirrored: NDArray[np.floating]) -> NDArray[np.float64]:
    """Join the inverse depth of an image with that of its mirror image, as monodepth does.

    Their mean, except at the sides: what an object hides lies to its left or right, and training from stereo pairs
    spoils the depth there. The left border is taken from the mirror image, the right one from the image.

    Args:
        inverse: (h,w) inverse depth of the image.
        mirrored: (h,w) inverse depth of the mirrored image, flipped back.

    Returns:
        (h,w) inverse depth.
    """
    across = np.linspace(0.0, 1.0, inverse.shape[1])
    left = 1.0 - np.clip(RAMP * (across - BORDER), 0.0, 1.0)
    right = left[::-1]
    return right * inverse + left * mirrored + (1.0 - left - right) * 0.5 * (inverse + mirrored)


def _estimate(estimator: DepthEstimator, image: NDArray[np.uint8], K: NDArray[np.float64]) -> NDArray[np.float32]:
    # A pixel wrongly taken for sky would count as infinitely far: the depth network is measured, not the labels.
    whole = estimator.view((image.shape[0], image.shape[1]), K).is_whole
    prediction = estimator.estimate(image, K, full_resolution=not whole, sky_infinite=False, with_labels=False)
    return np.asarray(prediction.depth.float().cpu().numpy(), np.float32)
