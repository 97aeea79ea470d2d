# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import math

import torch

from depth_node.geometry.pose import transform_from_axis_angle
from depth_node.losses.velocity import velocity_loss


def motion(*translations):
    """(1, S, 4, 4) with some rotation, which must not matter."""
    moved = torch.tensor([translations], dtype=torch.float64)
    return transform_from_axis_angle(torch.full_like(moved, 0.3), moved)


def test_by_hand():
    loss = velocity_loss(motion((3.0, 0.0, 4.0), (0.0, 0.0, -2.0)), torch.tensor([[4.0, 2.5]], dtype=torch.float64))
    torch.testing.assert_close(loss, torch.tensor((1.0 + 0.5) / 2, dtype=torch.float64))


def test_unknown_distances_do_not_count():
    both = torch.cat([motion((3.0, 0.0, 4.0), (0.0, 0.0, 9.0)), motion((1.0, 0.0, 0.0), (1.0, 0.0, 0.0))])
    unknown = torch.tensor([[4.0, math.nan], [math.nan, math.nan]], dtype=torch.float64)
    torch.testing.assert_close(velocity_loss(both, unknown), torch.tensor(0.5, dtype=torch.float64))


def test_gradients_are_finite_at_no_motion_and_where_nothing_is_known():
    still = motion((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)).requires_grad_()
    velocity_loss(still, torch.tensor([[1.0, math.nan]], dtype=torch.float64)).backward()
    assert still.grad.isfinite().all()
