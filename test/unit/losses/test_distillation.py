# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from depth_node.geometry.disparity import depth_to_disparity
from depth_node.losses.distillation import distillation_loss


def pyramid(depth):
    disparity = float(depth_to_disparity(torch.tensor(depth), 0.1, 100.0))
    return [torch.full((1, 1, 16 >> i, 32 >> i), disparity, requires_grad=True) for i in range(4)]


def test_the_teachers_own_depth_costs_nothing():
    assert distillation_loss(pyramid(7.0), torch.full((1, 1, 16, 32), 7.0), 0.1, 100.0) < 1e-5


def test_a_factor_costs_its_logarithm_near_and_far():
    for depth in (1.0, 20.0):
        loss = distillation_loss(pyramid(2 * depth), torch.full((1, 1, 16, 32), depth), 0.1, 100.0)
        torch.testing.assert_close(loss, torch.tensor(math.log(2.0)), rtol=1e-3, atol=0)


def test_disparity_is_compared_in_the_students_range():
    loss = distillation_loss(pyramid(4.0), torch.full((1, 1, 16, 32), 5.0), 0.1, 100.0, "disparity")
    torch.testing.assert_close(loss, torch.tensor((1 / 4 - 1 / 5) / (10 - 0.01)), rtol=1e-3, atol=0)
    # A teacher that sees nearer than the student can does not drive it beyond its range.
    near = distillation_loss(pyramid(0.1), torch.full((1, 1, 16, 32), 0.05), 0.1, 100.0, "disparity")
    assert near < 1e-6


@pytest.mark.parametrize("compare", ["log_depth", "disparity"])
def test_every_scale_learns(compare):
    disparities = pyramid(5.0)
    distillation_loss(disparities, torch.full((1, 1, 16, 32), 3.0), 0.1, 100.0, compare).backward()
    assert all(disparity.grad.abs().sum() > 0 for disparity in disparities)
