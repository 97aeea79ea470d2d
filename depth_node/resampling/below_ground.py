# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which pixels lie significantly below the ground plane (docs/papers.md, Two-stage training).

A pixel below the horizon whose predicted depth is infinite lies far under the road: its ray should have met the plane
at depth d / n.r. In metres, with the plane H under the camera, a pixel at depth z is z n.r - H below the plane. It
counts when that exceeds margin + slope z. For z towards infinity this leaves the rays that fall by more than `slope`:
sky, and what is far and near the horizon, where the plane's tilt decides, never counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from depth_node.config.resampling import ResamplingConfig
from depth_node.geometry.ground_plane import GroundPlanes, fit_ground_planes
from depth_node.geometry.warp import backproject

LABELS, NETWORK, GEOMETRIC, OTHER_FRAMES = "labels", "network", "geometric", "other frames"


@dataclass(frozen=True)
class GroundCheck:
    """The ground under a batch of pictures and what lies below it.

    Attributes:
        planes: one per picture, in network units.
        metres: (B,) metres per network unit by the camera's height; NaN without a plane.
        below: (B, H, W) bool, pixels significantly below the plane; none without a plane.
        geometric: (B,) bool, whether the plane was fitted to geometric candidates.
    """

    planes: GroundPlanes
    metres: Tensor
    below: Tensor
    geometric: Tensor

    @property
    def counts(self) -> Tensor:
        """(B,) number of pixels below ground."""
        return self.below.flatten(1).sum(1)


def check_ground(depth: Tensor, K: Tensor, ground: Tensor | None, config: ResamplingConfig) -> GroundCheck:
    """Fit the ground plane of each picture and find the pixels below it.

    Args:
        depth: (B, 1, H, W) in network units.
        K: (B, 3, 3) intrinsics at H x W, pixels.
        ground: (B, H, W) bool, pixels of ground classes; None where no classes are known.
        config: how to.
    """
    candidates, geometric = ground_candidates(depth[:, 0], ground, config)
    points = backproject(depth.double(), K.double()).flatten(2).transpose(1, 2)
    planes = fit_ground_planes(
        points,
        candidates.flatten(1),
        config.iterations,
        config.tolerance,
        config.max_tilt,
        config.min_inliers,
        config.seed,
    )
    return check_against(depth, K, planes, geometric, config)


def check_against(
    depth: Tensor, K: Tensor, planes: GroundPlanes, geometric: Tensor, config: ResamplingConfig
) -> GroundCheck:
    """Find the pixels below planes that are known; arguments as above, `geometric` (B,) bool."""
    metres = config.camera_height / planes.distances
    return GroundCheck(planes, metres, pixels_below(depth[:, 0], K, planes, config), geometric)


def ground_candidates(depth: Tensor, ground: Tensor | None, config: ResamplingConfig) -> tuple[Tensor, Tensor]:
    """Pixels that may lie on the ground: (B, H, W) bool, and whether they are geometric, (B,) bool.

    Args:
        depth: (B, H, W).
        ground: (B, H, W) bool, pixels of ground classes, or None.
        config: which region is taken without enough of those.
    """
    batch, height, width = depth.shape
    side = round(width * (1.0 - config.middle) / 2)
    region = torch.zeros_like(depth, dtype=torch.bool)
    region[:, round(config.top * height) :, side : width - side] = True
    geometric = torch.ones(batch, dtype=torch.bool, device=depth.device)
    if ground is not None:
        geometric = ground.flatten(1).float().mean(1) < config.min_candidates
        region = torch.where(geometric[:, None, None], region, ground)
    # The farthest part may hold infinite objects. Less than most of it would leave the tilt of the plane open.
    candidates = depth.masked_fill(~region, torch.nan).flatten(1)
    farthest = candidates.nanquantile(config.nearest, dim=1)[:, None, None]
    return region & (depth <= farthest), geometric


def pixels_below(depth: Tensor, K: Tensor, planes: GroundPlanes, config: ResamplingConfig) -> Tensor:
    """Pixels significantly below the plane, (B, H, W) bool.

    Args:
        depth: (B, H, W) in the unit of the planes.
        K: (B, 3, 3) intrinsics, pixels.
        planes: of each picture; without a plane nothing lies below it.
        config: what is significant.
    """
    relative = depth * planes.slants(K.float(), *depth.shape[1:]) / planes.distances[:, None, None].float()
    metres = depth * (config.camera_height / planes.distances[:, None, None].float())
    below = config.camera_height * (relative - 1.0) > config.margin + config.slope * metres
    # An object stands on a road that is seen beside it; where no pixel of a row fits the plane, the plane does not.
    on_plane = (relative - 1.0).abs() < config.support_tolerance
    supported = on_plane.float().mean(2, keepdim=True) >= config.row_support
    return below & supported
