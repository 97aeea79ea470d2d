# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The fast form of pixel-adaptive convolution: shifts instead of unfolded windows, with gradients of its own.

Automatic differentiation would keep the product of kernel and features for each of the nine taps; here the taps are
made again on the way back, so that training needs no more memory than for an ordinary convolution.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.networks.pixel_adaptive_tiles import half_window, shift, tiled_convolution, tiled_gradients

WITHOUT_TRITON = "DEPTH_NODE_WITHOUT_TRITON"
"""Environment variable; set it where Triton is installed but cannot compile, for want of a C compiler say."""


class PixelDistances(torch.autograd.Function):
    """See `pixel_adaptive.pixel_distances`."""

    @staticmethod
    def forward(ctx: Any, guide: Tensor, kernel: int) -> Tensor:
        """Sum the squared differences over the channels, direction by direction."""
        ctx.save_for_backward(guide)
        ctx.kernel = kernel
        return torch.stack([(guide - shift(guide, *offset)).square_().sum(1) for offset in half_window(kernel)], 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """d|f_i - f_j|^2 pulls both pixels: 2 (f_i - f_j) on i and its negative on j."""
        (guide,) = ctx.saved_tensors
        total = torch.zeros_like(guide)
        for plane, (down, right) in enumerate(half_window(ctx.kernel)):
            pull = (guide - shift(guide, down, right)).mul_(2 * gradients[0][:, plane, None])
            total += pull
            total -= shift(pull, -down, -right)
        return total, None


class PixelAdaptive(torch.autograd.Function):
    """See `pixel_adaptive.pixel_adaptive_convolution`; without bias."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, affinity: Tensor, weight: Tensor) -> Tensor:
        """One fused kernel on a GPU with Triton, tap by tap on other accelerators, in row tiles on the CPU."""
        ctx.save_for_backward(features, affinity, weight)
        if features.device.type == "cpu":
            return tiled_convolution(features, affinity, weight)
        if fused := _fused(features, weight):
            return fused.convolve(features, affinity, weight)
        result = F.conv2d(features, _centre(weight))
        for tap, kernel, plane in _taps(features, affinity, weight):
            result += F.conv2d(tap * plane, kernel)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """Gradients of features, affinity and weight, as the forward pass: by taps, or in row tiles on the CPU."""
        features, affinity, weight = ctx.saved_tensors
        gradient = gradients[0]
        if features.device.type == "cpu":
            return tiled_gradients(features, affinity, weight, gradient.contiguous())
        if fused := _fused(features, weight):
            return (
                fused.feature_gradient(gradient, affinity, weight),
                fused.affinity_gradient(features, gradient, weight),
                fused.weight_gradient(features, affinity, gradient),
            )
        middle = weight.shape[-1] // 2
        of_features = torch.einsum("bohw,oc->bchw", gradient, weight[:, :, middle, middle])
        of_weight = torch.empty_like(weight)
        of_weight[:, :, middle, middle] = _outer(gradient, features)
        of_affinity = torch.empty_like(affinity)
        for plane, (down, right) in enumerate(half_window(weight.shape[-1])):
            kernel = affinity[:, plane, None]
            # Forth: pixel i takes j = i + offset. Back: pixel j takes i, with the same kernel value.
            there = weight[:, :, middle + down, middle + right]
            back = weight[:, :, middle - down, middle - right]
            ahead, behind = shift(features, down, right), features
            pulled = torch.einsum("bohw,oc->bchw", gradient, there)
            of_weight[:, :, middle + down, middle + right] = _outer(gradient, ahead * kernel)
            returned = torch.einsum("bohw,oc->bchw", shift(gradient, down, right), back)
            of_weight[:, :, middle - down, middle - right] = _outer(shift(gradient, down, right), behind * kernel)
            of_affinity[:, plane] = (pulled * ahead).sum(1) + (returned * behind).sum(1)
            of_features += shift(pulled * kernel, -down, -right) + returned * kernel
        return of_features, of_affinity, of_weight


def _fused(features: Tensor, weight: Tensor) -> ModuleType | None:
    """The Triton kernels, where they are to be had and fit: 3x3, at most single precision."""
    fits = features.device.type == "cuda" and weight.shape[-1] == 3 and features.dtype != torch.float64
    return _triton_kernels() if fits else None


@lru_cache(maxsize=1)
def _triton_kernels() -> ModuleType | None:
    if os.environ.get(WITHOUT_TRITON):
        return None
    try:
        from depth_node.networks import pixel_adaptive_triton
    except ImportError:
        return None
    return pixel_adaptive_triton


def _taps(features: Tensor, affinity: Tensor, weight: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Each tap but the centre: its features, its (O, C, 1, 1) weights and its (B, 1, h, w) kernel values."""
    middle = weight.shape[-1] // 2
    for plane, (down, right) in enumerate(half_window(weight.shape[-1])):
        values = affinity[:, plane, None]
        there = weight[:, :, middle + down, middle + right, None, None]
        yield shift(features, down, right), there, values
        back = weight[:, :, middle - down, middle - right, None, None]
        yield shift(features, -down, -right), back, shift(values, -down, -right)


def _centre(weight: Tensor) -> Tensor:
    middle = weight.shape[-1] // 2
    return weight[:, :, middle : middle + 1, middle : middle + 1]


def _outer(gradient: Tensor, features: Tensor) -> Tensor:
    """(O, C) sum over batch and pixels of gradient (B, O, h, w) times features (B, C, h, w)."""
    return torch.einsum("bohw,bchw->oc", gradient, features)
