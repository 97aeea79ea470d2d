# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The photometric error with its gradient written out: half the arithmetic and a quarter of the memory of autograd.

With x the warped image, y the target and m(.) the mean over a patch:

    luminance = 2 m(x) m(y) + c1                energy_mean = m(x)^2 + m(y)^2 + c1
    contrast  = 2 (m(xy) - m(x) m(y)) + c2      energy_var  = var(x) + var(y) + c2
    energy    = energy_mean energy_var          ssim = luminance contrast / energy

    d ssim / d m(xy)  = 2 luminance / energy
    d ssim / d m(x^2) = -ssim / energy_var
    d ssim / d m(x)   = 2 (m(y) (contrast - luminance) + ssim m(x) (energy_mean - energy_var)) / energy
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from depth_node.losses.patches import spread_patches, sum_patches

CACHED_PIXELS = 1 << 15
"""Pixels that are worked on at a time on the CPU: its cache then holds most intermediate results."""


class PhotometricError(torch.autograd.Function):
    """ssim_weight * (1 - SSIM) / 2 + (1 - ssim_weight) * |x - y|, mean over channels; gradient to x only."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, y: Tensor, y_mean: Tensor, y_variance: Tensor, weight: float, c1: float, c2: float
    ) -> Tensor:
        """Error (B, 1, H, W) of images `x` (B, C, H, W) against `y` with its patch means and variances."""
        error = torch.empty_like(x[:, :1])
        # Slopes of SSIM by m(x) and m(xy), both halved, and by -m(x^2).
        slopes = x.new_empty(3, *x.shape) if x.requires_grad else None
        for part in _parts(x):
            given = (x[part], y[part], y_mean[part], y_variance[part], c1, c2)
            ssim = _ssim(*given, None if slopes is None else slopes[:, part])
            structure = ssim.mean(1, keepdim=True).mul_(-weight / 2).add_(weight / 2)
            absolute = (x[part] - y[part]).abs_().mean(1, keepdim=True)
            torch.add(structure, absolute, alpha=1 - weight, out=error[part])
        if slopes is not None:
            ctx.save_for_backward(x, y, slopes)
            ctx.weight = weight
        return error

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradient to `x`."""
        x, y, slopes = ctx.saved_tensors
        result = torch.empty_like(x)
        for part in _parts(x):
            share = gradient[part] / x.shape[1]
            # (1 - SSIM) / 2 falls by these; a patch has 9 pixels.
            by_mean, by_product, by_square = spread_patches(slopes[:, part] * (share * (-ctx.weight / 9)))
            torch.sub(x[part], y[part], out=result[part])
            result[part].sign_().mul_(share * (1 - ctx.weight))
            result[part].add_(by_mean).addcmul_(by_product, y[part]).addcmul_(by_square, x[part], value=-1)
        return result, None, None, None, None, None, None


def _ssim(
    x: Tensor, y: Tensor, y_mean: Tensor, y_variance: Tensor, c1: float, c2: float, slopes: Tensor | None
) -> Tensor:
    """SSIM in -1..1; writes its slopes (see `PhotometricError`) where they are wanted."""
    x_mean = sum_patches(x).div_(9.0)
    product, square = x_mean * y_mean, x_mean * x_mean
    contrast = sum_patches(x * y).div_(9.0).sub_(product).mul_(2).add_(c2)
    luminance = product.mul_(2).add_(c1)
    energy_var = sum_patches(x * x).div_(9.0).sub_(square).add_(y_variance).add_(c2)
    energy_mean = square.addcmul_(y_mean, y_mean).add_(c1)
    inverse = (energy_mean * energy_var).reciprocal_()
    ssim = (luminance * contrast).mul_(inverse)
    if slopes is not None:
        by_mean, by_product, by_square = slopes
        torch.mul(luminance, inverse, out=by_product)
        scaled = ssim * inverse
        torch.mul(scaled, energy_mean, out=by_square)
        scaled.mul_(x_mean).mul_(energy_mean.sub_(energy_var))
        torch.addcmul(scaled, contrast.sub_(luminance).mul_(y_mean), inverse, out=by_mean)
    # Only rounding leads beyond -1 and 1, where the slopes are as good as zero.
    return ssim.clamp_(-1, 1)


def _parts(x: Tensor) -> list[slice]:
    """Stretches of the batch to work on one after the other."""
    batch, _, height, width = x.shape
    length = max(CACHED_PIXELS // (height * width), 1) if x.device.type == "cpu" else max(batch, 1)
    return [slice(first, first + length) for first in range(0, batch, length)]
