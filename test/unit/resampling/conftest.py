# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A street whose depth is known: flat ground, houses, and a car ahead that may be infinitely far."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

HEIGHT, WIDTH = 96, 320
K = torch.tensor([[185.6, 0.0, 159.5], [0.0, 185.6, 44.75], [0.0, 0.0, 1.0]], dtype=torch.float64)
CAMERA_HEIGHT, FARTHEST = 1.65, 100.0


def make_street(
    gap: float = 0.0, infinite: bool = True, tilt: float = 0.0, falls_off: float = 0.0, unit: float = 1.0
) -> Tensor:
    """Depth (1, HEIGHT, WIDTH) of a street.

    Args:
        gap: metres to a car in the middle; 0 for none.
        infinite: the car is as far as depth goes, instead of at its place.
        tilt: slope of the ground ahead, metres per metre; positive falls.
        falls_off: metres ahead from which the road is infinite in all its width, as beyond a crest; 0 for nowhere.
        unit: metres per unit of the depth.
    """
    v, u = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    x, y = (u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1]
    fall = y - tilt
    ground = torch.where(fall > 0, CAMERA_HEIGHT / fall.clamp_min(1e-6), torch.inf)
    depth = ground.clamp(max=FARTHEST)
    houses = 8.0 / x.abs().clamp_min(1e-6)  # 8 m to both sides
    depth = torch.minimum(depth, torch.where(y > -0.3, houses, FARTHEST))
    if falls_off:
        depth = torch.where((ground > falls_off) & (houses > falls_off), FARTHEST, depth)
    if gap:
        car = (x.abs() * gap < 0.9) & (ground > gap) & (y * gap > CAMERA_HEIGHT - 1.5)
        depth = torch.where(car, FARTHEST if infinite else gap, depth)
    return (depth / unit)[None].float()


@pytest.fixture(scope="session")
def street() -> Callable[..., Tensor]:
    """The function `make_street`."""
    return make_street


@pytest.fixture(scope="session")
def camera() -> Tensor:
    """Its (3, 3) intrinsics."""
    return K
