# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation over the samples of all processes, so that how many there are makes no difference.

torch's own works on GPUs only; on the CPU the same is done here.
"""

from __future__ import annotations

from typing import Any, cast

import torch
import torch.nn.functional as F
from timm.layers import BatchNormAct2d, convert_sync_batchnorm
from torch import Tensor, nn

from depth_node.distributed import total, world_size

AXES = (0, 2, 3)


class SynchronisedNorm(nn.BatchNorm2d):
    """A `BatchNorm2d` whose statistics in training are those of all processes, which must have equal batches."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (B, C, H, W); all processes must call it."""
        return normalise(self, input) if self.training else super().forward(input)


class SynchronisedNormAct(BatchNormAct2d):
    """The same for timm's normalisation with an activation behind it."""

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (B, C, H, W) and activate; all processes must call it."""
        if not self.training:
            return super().forward(input)  # type: ignore[no-untyped-call]
        activated: Tensor = self.act(self.drop(normalise(self, input)))
        return activated


SYNCHRONISED = {nn.BatchNorm2d: SynchronisedNorm, BatchNormAct2d: SynchronisedNormAct}


def synchronise_norms(network: nn.Module, device: str) -> None:
    """Make all batch normalisation of a network common to the processes; names and values of its weights stay.

    Args:
        network: holds the layers; those of torch and timm are replaced.
        device: 'cuda' or 'cpu', where it will be trained.
    """
    if device == "cuda":
        convert_sync_batchnorm(network)
        return
    for module in network.modules():
        if type(module) in SYNCHRONISED:
            module.__class__ = SYNCHRONISED[type(module)]


def normalise(norm: nn.BatchNorm2d, input: Tensor) -> Tensor:
    """Normalise by the statistics of all processes, and keep their running averages."""
    output, mean, variance = _Normalise.apply(input, norm.weight, norm.bias, norm.eps)
    statistics = (norm.num_batches_tracked, norm.running_mean, norm.running_var)
    if all(statistic is not None for statistic in statistics):
        batches, running_mean, running_variance = cast(tuple[Tensor, Tensor, Tensor], statistics)
        count = world_size() * input.numel() / input.shape[1]
        with torch.no_grad():
            batches.add_(1)
            running_mean.lerp_(mean, cast(float, norm.momentum))
            running_variance.lerp_(variance * (count / (count - 1)), cast(float, norm.momentum))
    return output


class _Normalise(torch.autograd.Function):
    """Differentiable through the statistics, to which every process's loss is linked."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        variance, mean = torch.var_mean(_precise(input), AXES, correction=0)
        dtype = mean.dtype
        # Mean and mean square of all; in double precision, for the variance is their small difference.
        mean, variance = mean.double(), variance.double()
        mean, square = total(torch.stack([mean, variance + mean.square()])) / world_size()
        variance = (square - mean.square()).clamp_min(0).to(dtype)
        mean = mean.to(dtype)
        ctx.save_for_backward(input, weight, mean, (variance + eps).rsqrt())
        ctx.mark_non_differentiable(mean, variance)
        # In evaluation mode the native function takes the statistics it is given.
        return F.batch_norm(input, mean, variance, weight, bias, False, 0.0, eps), mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        input, weight, mean, scale = ctx.saved_tensors
        gradient = _precise(gradients[0])
        spread = (1, -1, 1, 1)
        normal = (_precise(input) - mean.reshape(spread)) * scale.reshape(spread)
        of_bias, of_weight = gradient.sum(AXES), (gradient * normal).sum(AXES)
        count = world_size() * input.numel() / input.shape[1]
        means = total(torch.stack([of_bias, of_weight])) / count
        through = gradient - means[0].reshape(spread) - normal * means[1].reshape(spread)
        of_input = through * (weight * scale).reshape(spread)
        return of_input.to(input.dtype), of_weight, of_bias, None


def _precise(values: Tensor) -> Tensor:
    """Sums over many pixels are not for half precision."""
    return values if values.dtype == torch.double else values.float()
