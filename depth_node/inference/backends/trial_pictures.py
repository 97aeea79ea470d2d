# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures for trying a network before a camera has sent any: drawn roads under a sky, textured as photographs are."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

COUNT = 3
CONTRAST = 0.02
"""Standard deviation of a picture's values, of 1, below which it says nothing about a network: a closed lens."""


@lru_cache(maxsize=4)
def trial_pictures(height: int, width: int, count: int = COUNT) -> list[Tensor]:
    """Pictures (1, 3, height, width) in 0..1: a sky, a road to a vanishing point, boxes that stand on it."""
    return [_picture(height, width, torch.Generator().manual_seed(seed)) for seed in range(count)]


def has_contrast(batch: Tensor) -> bool:
    """Whether a batch shows anything."""
    return float(batch.std()) > CONTRAST


def _picture(height: int, width: int, random: torch.Generator) -> Tensor:
    texture = sum(_noise(height, width, cells, random) / n for n, cells in enumerate((8, 24, 72, 160), start=1))
    down, right = torch.linspace(0, 1, height)[:, None], torch.linspace(-1, 1, width)
    horizon = 0.45 + 0.1 * float(torch.rand((), generator=random))
    below = (down - horizon).clamp_min(0) / (1 - horizon)
    scene = torch.stack([0.55 + 0.2 * down + 0 * right, 0.65 + 0.15 * down + 0 * right, 0.9 - 0.1 * down + 0 * right])
    ground = torch.tensor([0.32, 0.38, 0.25])[:, None, None].expand_as(scene)
    road = torch.tensor([0.35, 0.35, 0.37])[:, None, None].expand_as(scene)
    scene = torch.where(down > horizon, torch.where(right.abs() < 0.05 + 0.9 * below, road, ground), scene)
    for _ in range(8):
        near, side, tall, wide = torch.rand(4, generator=random).tolist()
        foot = horizon + (1 - horizon) * near**2
        size = 0.08 + 0.8 * (foot - horizon)
        inside = (down < foot) & (down > foot - size * (0.5 + tall)) & ((right - 2 * side + 1).abs() < size * wide)
        scene = torch.where(inside, torch.rand(3, generator=random)[:, None, None], scene)
    return (scene + 0.1 * texture).clamp(0, 1)[None]


def _noise(height: int, width: int, cells: int, random: torch.Generator) -> Tensor:
    """(1, height, width) smooth noise around 0 with so many cells across."""
    coarse = torch.randn(1, 1, max(2, cells * height // width), cells, generator=random)
    return F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0]
