# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Means over 3x3 patches with reflected borders, and their exact gradient, without padded copies."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class _PatchMean(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, image: Tensor) -> Tensor:
        return sum_patches(image).div_(9.0)

    @staticmethod
    @once_differentiable
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return spread_patches(gradient).div_(9.0)


def patch_mean(image: Tensor) -> Tensor:
    """Mean over 3x3 patches with reflected borders; (B, C, H, W), H and W at least 3, to the same shape."""
    # Two passes of shifted sums: on the CPU several times as fast as avg_pool2d, and this runs 30 times a step.
    mean: Tensor = _PatchMean.apply(image)
    return mean


def sum_patches(image: Tensor) -> Tensor:
    """Sums over 3x3 patches with reflected borders, without gradient; any leading dimensions."""
    return _sum_three(_sum_three(image, -1), -2)


def spread_patches(gradient: Tensor) -> Tensor:
    """The adjoint of `sum_patches`: what the gradient of the sums is for the image."""
    return _spread_three(_spread_three(gradient, -2), -1)


def _sum_three(image: Tensor, dim: int) -> Tensor:
    """Each value plus both its neighbours along a dimension; beyond the border lies the mirror image."""
    last = image.shape[dim] - 1
    total = torch.empty_like(image)
    _add_neighbours(image, total, dim)
    torch.add(image.select(dim, 0), image.select(dim, 1), alpha=2, out=total.select(dim, 0))
    torch.add(image.select(dim, last), image.select(dim, last - 1), alpha=2, out=total.select(dim, last))
    return total


def _spread_three(gradient: Tensor, dim: int) -> Tensor:
    last = gradient.shape[dim] - 1
    total = torch.empty_like(gradient)
    _add_neighbours(gradient, total, dim)
    # The border's sum counts its one neighbour twice.
    total.select(dim, 1).add_(gradient.select(dim, 0))
    total.select(dim, last - 1).add_(gradient.select(dim, last))
    torch.add(gradient.select(dim, 0), gradient.select(dim, 1), out=total.select(dim, 0))
    torch.add(gradient.select(dim, last), gradient.select(dim, last - 1), out=total.select(dim, last))
    return total


def _add_neighbours(values: Tensor, total: Tensor, dim: int) -> None:
    """Write the sums inside of the border."""
    length = values.shape[dim] - 2
    inner = total.narrow(dim, 1, length)
    torch.add(values.narrow(dim, 0, length), values.narrow(dim, 1, length), out=inner)
    inner.add_(values.narrow(dim, 2, length))
