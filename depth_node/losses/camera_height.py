# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metric scale from the camera's height above the road and nothing else.

After the scale recovery loss of Wagstaff and Kelly (arXiv 2009.03787, section III): the road lies as far under the
camera as it does. Two things are done differently, since the plain form was tried and broke networks
(docs/results.md). They fit a plane to the predicted road, which a network satisfies by tilting the road, as tilt and
height make up for each other: here the tilt is that of the way that the camera drives, which the pose network knows.
And they pull depth to metres, which fights the range that a network's sigmoid is at home in: here the road's height
is to be the same in every picture, in the network's own unit, and what that is in metres goes into the checkpoint as
its scale.
Neither paper of this project trains with it: it is off unless asked for.
"""

from __future__ import annotations

import torch
from torch import Tensor

from depth_node.config.ground import GroundSearch
from depth_node.geometry.ground_plane import GroundPlanes
from depth_node.geometry.ground_search import ground_candidates

SEARCH = GroundSearch()
FLATTEST = 0.1
"""Rays that fall by less per unit along the axis hit the road more than ten heights ahead: roads bend, noses dip."""
AGREEING = 0.3
"""Logarithm of height from the picture's median up to which a pixel is road: what stands on it is not."""


def camera_height_loss(
    depth: Tensor, K: Tensor, ground: Tensor | None, T_source_target: Tensor, usual: Tensor
) -> tuple[Tensor, Tensor]:
    """Mean difference of the road's height under the camera from the usual one, as logarithms, over the road's pixels.

    Args:
        depth: (B, 1, H, W), network units.
        K: (B, 3, 3) intrinsics at H x W, pixels.
        ground: (B, H, W) bool, pixels of ground classes; None where no classes are known.
        T_source_target: (B, S, 4, 4) motion to the picture before and the one after, in this order, any unit.
        usual: () logarithm of the height in other pictures; NaN takes the mean of these.

    Returns:
        The loss and the mean logarithm of the height in these pictures without gradient, both scalars; the latter is
        NaN where no picture shows a road.
    """
    with torch.no_grad():
        slants = road_slants(K, T_source_target, depth.shape[-2], depth.shape[-1])
        candidates, _ = ground_candidates(depth[:, 0].float(), ground, SEARCH)
        candidates &= slants > FLATTEST
        # 1 rather than what is not road: its logarithm has a gradient.
        slants = torch.where(candidates, slants, 1.0)
        logs = (depth[:, 0].float() * slants).log()
        middle = torch.where(candidates, logs, torch.nan).flatten(1).nanmedian(1).values
        road = candidates & ((logs - middle[:, None, None]).abs() < AGREEING)
        height = middle.nanmean()
        usual = torch.where(usual.isnan(), height, usual)
        road &= ~usual.isnan()
    below = torch.where(road, depth[:, 0] * slants, 1.0).log()
    differences = torch.where(road, below - usual, 0.0).abs()
    # Image by image, so that a batch may be shared among processes.
    return (differences.flatten(1).sum(1) / road.flatten(1).sum(1).clamp_min(1)).mean(), height


def road_slants(K: Tensor, T_source_target: Tensor, height: int, width: int) -> Tensor:
    """How far the ray of each pixel falls towards a road along the way driven, per unit of depth: (B, H, W).

    Args:
        K: (B, 3, 3) intrinsics, pixels.
        T_source_target: (B, S, 4, 4) motion to the picture before and the one after.
        height: rows.
        width: columns.
    """
    R, t = T_source_target[:, :2, :3, :3], T_source_target[:, :2, :3, 3:]
    before, after = (-(R.transpose(-1, -2) @ t)[..., 0]).unbind(1)  # where the camera was, and will be
    ahead = torch.nn.functional.normalize((after - before).double(), dim=-1)
    # A road across the way, as level from side to side as the camera.
    down = ahead.new_tensor([0.0, 1.0, 0.0]) - ahead[:, 1:2] * ahead
    unknown = down.norm(dim=-1, keepdim=True) < 0.5  # the camera goes up or down, or stands
    down = torch.where(unknown, ahead.new_tensor([0.0, 1.0, 0.0]), torch.nn.functional.normalize(down, dim=-1))
    nothing = down.new_zeros(len(down))
    return GroundPlanes(down, nothing, nothing).slants(K.float(), height, width)
