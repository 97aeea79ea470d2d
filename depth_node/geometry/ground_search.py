# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From depth pictures to their ground planes: which pixels may be ground, and the plane through them."""

from __future__ import annotations

import torch
from torch import Tensor

from depth_node.config.ground import GroundSearch
from depth_node.geometry.ground_plane import GroundPlanes, fit_ground_planes
from depth_node.geometry.warp import backproject


def find_ground(
    depth: Tensor, K: Tensor, ground: Tensor | None, search: GroundSearch
) -> tuple[GroundPlanes, Tensor, Tensor]:
    """The ground plane of each picture.

    Args:
        depth: (B, 1, H, W), any unit.
        K: (B, 3, 3) intrinsics at H x W, pixels.
        ground: (B, H, W) bool, pixels of ground classes; None where no classes are known.
        search: how to.

    Returns:
        The planes in the unit of depth, the candidates they were fitted to, (B, H, W) bool, and whether these were
        geometric, (B,) bool.
    """
    candidates, geometric = ground_candidates(depth[:, 0], ground, search)
    points = backproject(depth.double(), K.double()).flatten(2).transpose(1, 2)
    planes = fit_ground_planes(
        points,
        candidates.flatten(1),
        search.iterations,
        search.tolerance,
        search.max_tilt,
        search.min_inliers,
        search.seed,
    )
    return planes, candidates, geometric


def ground_candidates(depth: Tensor, ground: Tensor | None, search: GroundSearch) -> tuple[Tensor, Tensor]:
    """Pixels that may lie on the ground: (B, H, W) bool, and whether they are geometric, (B,) bool.

    Args:
        depth: (B, H, W).
        ground: (B, H, W) bool, pixels of ground classes, or None.
        search: which region is taken without enough of those.
    """
    batch, height, width = depth.shape
    side = round(width * (1.0 - search.middle) / 2)
    region = torch.zeros_like(depth, dtype=torch.bool)
    region[:, round(search.top * height) :, side : width - side] = True
    geometric = torch.ones(batch, dtype=torch.bool, device=depth.device)
    if ground is not None:
        geometric = ground.flatten(1).float().mean(1) < search.min_candidates
        region = torch.where(geometric[:, None, None], region, ground)
    # The farthest part may hold infinite objects. Less than most of it would leave the tilt of the plane open.
    candidates = depth.masked_fill(~region, torch.nan).flatten(1)
    farthest = candidates.nanquantile(search.nearest, dim=1)[:, None, None]
    return region & (depth <= farthest), geometric
