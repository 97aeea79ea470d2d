# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Photometric error: a blend of structural similarity and absolute difference (docs/papers.md, Loss)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from depth_node.losses.patches import patch_mean
from depth_node.losses.photometric_gradient import PhotometricError

C1 = 0.01**2
C2 = 0.03**2
SSIM_WEIGHT = 0.85
"""The values of both papers."""


@dataclass(frozen=True)
class PatchMoments:
    """Mean and variance of an image over every 3x3 patch; kept, because one target meets many warps.

    Attributes:
        image: (B, C, H, W) the image, 0 to 1.
        mean: (B, C, H, W) patch means.
        variance: (B, C, H, W) patch variances.
    """

    image: Tensor
    mean: Tensor
    variance: Tensor


def patch_moments(image: Tensor) -> PatchMoments:
    """Patch statistics of (B, C, H, W) images for `ssim_distance`."""
    mean = patch_mean(image)
    return PatchMoments(image, mean, patch_mean(image * image) - mean * mean)


def ssim_distance(prediction: PatchMoments, target: PatchMoments, c1: float = C1, c2: float = C2) -> Tensor:
    """(1 - SSIM) / 2 per pixel and channel, clamped to 0..1, with 3x3 average windows.

    Args:
        prediction: moments of (B, C, H, W) images.
        target: moments of images of the same shape.
        c1: steadies the comparison of means where both are dark.
        c2: steadies the comparison of structure where both are flat.

    Returns:
        (B, C, H, W) distances, 0 where the patches agree.
    """
    covariance = patch_mean(prediction.image * target.image) - prediction.mean * target.mean
    luminance = 2 * prediction.mean * target.mean + c1
    contrast = 2 * covariance + c2
    energy = (prediction.mean**2 + target.mean**2 + c1) * (prediction.variance + target.variance + c2)
    return ((1 - luminance * contrast / energy) / 2).clamp(0, 1)


def photometric_error(
    prediction: Tensor, target: PatchMoments, ssim_weight: float = SSIM_WEIGHT, c1: float = C1, c2: float = C2
) -> Tensor:
    """Per-pixel error ssim_weight * (1 - SSIM)/2 + (1 - ssim_weight) * |difference|, averaged over channels.

    Args:
        prediction: (B, C, H, W) warped image, 0 to 1.
        target: moments of the (B, C, H, W) target image, which gets no gradient.
        ssim_weight: share of the structural term.
        c1: see `ssim_distance`.
        c2: see `ssim_distance`.

    Returns:
        (B, 1, H, W) error.
    """
    if ssim_weight == 0.0:
        return (prediction - target.image).abs().mean(1, keepdim=True)
    error: Tensor = PhotometricError.apply(prediction, target.image, target.mean, target.variance, ssim_weight, c1, c2)
    return error
