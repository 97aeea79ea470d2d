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

from torch import Tensor

from depth_node.config.resampling import ResamplingConfig
from depth_node.geometry.ground_plane import GroundPlanes
from depth_node.geometry.ground_search import find_ground

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
    planes, _, geometric = find_ground(depth, K, ground, config)
    return check_against(depth, K, planes, geometric, config)


def check_against(
    depth: Tensor, K: Tensor, planes: GroundPlanes, geometric: Tensor, config: ResamplingConfig
) -> GroundCheck:
    """Find the pixels below planes that are known; arguments as above, `geometric` (B,) bool."""
    metres = config.camera_height / planes.distances
    return GroundCheck(planes, metres, pixels_below(depth[:, 0], K, planes, config), geometric)


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
