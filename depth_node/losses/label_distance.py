# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Distance of predicted depth to a teacher's label, less the pixels that fit worst: there the teacher may be wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.config.teacher import DEPTH
from depth_node.geometry.disparity import disparity_to_depth
from depth_node.losses.exact_depth import FAR


def label_loss(
    disparities: Sequence[Tensor], wanted: Tensor, gives: str, min_depth: float, max_depth: float, drop: float
) -> Tensor:
    """Mean over scales, each scale enlarged to full resolution.

    Depth is compared by its logarithm, in the network's unit, which so becomes metres. Inverse depth whose factor and
    offset nobody knows is compared after both sides have been brought to a median of 0 and a mean distance of 1 to it,
    in each picture (MiDaS, arXiv 1907.01341, section 5).

    Args:
        disparities: sigmoid disparities (B, 1, H / 2^i, W / 2^i), finest first.
        wanted: (B, 1, H, W) metres, inf in the sky, which only needs to be far; or inverse depth. NaN is unknown.
        gives: 'depth' or 'inverse_depth'.
        min_depth: depth at disparity 1.
        max_depth: depth at disparity 0.
        drop: share of each picture's pixels that is left out, those that fit worst.

    Returns:
        Scalar loss.
    """
    known = ~wanted.isnan()
    # Stand-ins rather than NaN: those would come back through the gradient, whatever is masked afterwards.
    filled = torch.where(known, wanted, 1.0)
    terms = []
    for disparity in disparities:
        full = F.interpolate(disparity, wanted.shape[-2:], mode="bilinear", align_corners=False)
        depth = disparity_to_depth(full, min_depth, max_depth)
        difference = _metric(depth, filled) if gives == DEPTH else _relative(1 / depth, filled, known)
        terms.append(_trimmed_mean(difference.flatten(1), known.flatten(1), drop))
    return torch.stack(terms).mean()


def _metric(depth: Tensor, wanted: Tensor) -> Tensor:
    """|log depth - log wanted|; in the sky and beyond `FAR` what is missing to that."""
    seen = depth.log()
    far = wanted >= FAR
    short = (math.log(FAR) - seen).clamp_min(0)
    return torch.where(far, short, (seen - torch.where(far, 1.0, wanted).log()).abs())


def _relative(inverse: Tensor, wanted: Tensor, known: Tensor) -> Tensor:
    return (_normal(inverse, known) - _normal(wanted, known)).abs()


def _normal(values: Tensor, known: Tensor) -> Tensor:
    """(B, 1, H, W) less each picture's median, over the mean distance to it, of what is known; 0 elsewhere."""
    with torch.no_grad():
        middle = torch.where(known, values, math.nan).flatten(1).nanmedian(dim=1).values.nan_to_num()
    centred = torch.where(known, values - middle.reshape(-1, 1, 1, 1), 0.0)
    count = known.sum((1, 2, 3), keepdim=True).clamp_min(1)
    spread = centred.abs().sum((1, 2, 3), keepdim=True) / count
    return centred / spread.clamp_min(1e-6)


def _trimmed_mean(difference: Tensor, known: Tensor, drop: float) -> Tensor:
    """Mean of (B, N) over what is known, each row without the `drop` largest; 0 where nothing is known."""
    with torch.no_grad():
        kept = (known.sum(1) * (1 - drop)).ceil().long()
        order = torch.where(known, difference, math.inf).argsort(dim=1)
        places = torch.arange(order.shape[1], device=order.device).expand_as(order)
        ranks = torch.empty_like(order).scatter_(1, order, places)
        used = known & (ranks < kept[:, None])
    return torch.where(used, difference, 0.0).sum() / used.sum().clamp_min(1)
