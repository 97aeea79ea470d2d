"""Depth images as REP-117 wants them: NaN unknown, +Inf nothing in range, -Inf too near to measure."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def apply_range(depth: Tensor, valid: Tensor, minimum: float, maximum: float) -> Tensor:
    """Mark what a depth image must not claim to have measured.

    Args:
        depth: (h, w) metres.
        valid: (h, w) bool.
        minimum: nearer than this is -Inf, metres.
        maximum: farther than this is +Inf, metres.

    Returns:
        (h, w) metres, a new tensor; NaN where not `valid`.
    """
    ranged = torch.where(depth > maximum, math.inf, depth)
    ranged = torch.where(depth < minimum, -math.inf, ranged)
    return torch.where(valid, ranged, math.nan)
