# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Distance of predicted depth to exact depth: its shape in log space, its edges, a little of its scale."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.geometry.disparity import disparity_to_depth

STRIDES = (1, 2, 4, 8)
"""Pixels between the two ends of a gradient."""

FAR = 80.0
"""What is farther than this (sky, haze) must only be predicted beyond it."""


def exact_depth_loss(
    disparities: Sequence[Tensor],
    depth: Tensor,
    min_depth: float,
    max_depth: float,
    gradient: float = 0.5,
    absolute: float = 0.2,
) -> Tensor:
    """Mean over scales of an L1 distance of log depths.

    Each picture's mean difference is taken out first, and comes back with the weight `absolute`: how far everything is
    cannot be known of a camera at an unknown height, what is nearer than what can. Gradients of the difference at
    several strides make edges sharp and planes even.

    Args:
        disparities: sigmoid disparities (B, 1, H / 2^i, W / 2^i), finest first.
        depth: (B, 1, H, W) in the network's unit; not finite or beyond `FAR` means that, 0 or less unknown.
        min_depth: depth at disparity 1.
        max_depth: depth at disparity 0.
        gradient: weight of the gradients.
        absolute: weight of each picture's mean difference.

    Returns:
        Scalar loss.
    """
    known = depth > 0
    far = known & (depth >= FAR)
    valid = known & ~far
    wanted = torch.where(valid, depth, torch.ones_like(depth)).log()
    limit = torch.tensor(FAR, device=depth.device).log()
    terms = []
    for disparity in disparities:
        full = F.interpolate(disparity.float(), depth.shape[-2:], mode="bilinear", align_corners=False)
        seen = disparity_to_depth(full, min_depth, max_depth).log()
        difference = torch.where(valid, seen - wanted, torch.zeros_like(seen))
        count = valid.sum((1, 2, 3), keepdim=True).clamp_min(1)
        mean = difference.sum((1, 2, 3), keepdim=True) / count
        shape = ((difference - mean).abs() * valid).sum((1, 2, 3), keepdim=True) / count
        short = ((limit - seen).clamp_min(0) * far).mean((1, 2, 3), keepdim=True)
        terms.append((shape + short + absolute * mean.abs()).mean() + gradient * _gradients(difference, valid))
    return torch.stack(terms).mean()


def _gradients(difference: Tensor, valid: Tensor) -> Tensor:
    """Mean absolute change of (B, 1, H, W) differences between neighbours, summed over strides."""
    total = difference.new_zeros(())
    for stride in STRIDES:
        for axis in (-1, -2):
            a, b = (t.narrow(axis, stride, t.shape[axis] - stride) for t in (difference, valid))
            c, d = (t.narrow(axis, 0, t.shape[axis] - stride) for t in (difference, valid))
            both = b & d
            total = total + ((a - c).abs() * both).sum() / both.sum().clamp_min(1)
    return total / len(STRIDES)
