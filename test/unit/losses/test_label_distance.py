# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from depth_node.geometry.disparity import depth_to_disparity
from depth_node.losses.label_distance import label_loss

SIZE = (1, 1, 16, 32)


def scene(seed=0):
    torch.manual_seed(seed)
    return 3 + 20 * torch.rand(2, 1, 16, 32)


def disparities(depth):
    return [depth_to_disparity(depth, 0.1, 100.0).requires_grad_()]


def loss(seen, wanted, gives="depth", drop=0.0):
    return label_loss(seen, wanted, gives, 0.1, 100.0, drop)


def test_the_label_itself_costs_nothing():
    depth = scene()
    assert loss(disparities(depth), depth) < 1e-5
    assert loss(disparities(depth), 1 / depth, "inverse_depth") < 1e-4


def test_metres_cost_the_logarithm_of_their_ratio():
    depth = scene()
    assert float(loss(disparities(2 * depth), depth)) == pytest.approx(math.log(2), rel=1e-4)


def test_inverse_depth_of_any_factor_and_offset_is_the_same():
    depth = scene()
    seen = disparities(scene(1))
    first = float(loss(seen, 1 / depth, "inverse_depth"))
    assert first > 0.1
    # Each picture has its own.
    factor, offset = torch.tensor([3.0, 0.2]).reshape(2, 1, 1, 1), torch.tensor([-1.0, 7.0]).reshape(2, 1, 1, 1)
    assert float(loss(seen, factor / depth + offset, "inverse_depth")) == pytest.approx(first, rel=1e-4)
    # But not turned round.
    assert float(loss(disparities(depth), -1 / depth, "inverse_depth")) > 0.5


@pytest.mark.parametrize("gives", ["depth", "inverse_depth"])
def test_the_worst_pixels_are_left_out(gives):
    depth = scene()
    wanted = depth if gives == "depth" else 1 / depth
    wrong = wanted.clone()
    wrong[..., :1] *= 30  # 1 in 32
    seen = disparities(depth)
    assert loss(seen, wrong, gives) > 0.05
    if gives == "depth":
        assert loss(seen, wrong, gives, drop=0.1) < 1e-5
    else:  # they still bend the spread that both are divided by
        assert loss(seen, wrong, gives, drop=0.1) < loss(seen, wrong, gives)


@pytest.mark.parametrize("gives", ["depth", "inverse_depth"])
def test_what_is_unknown_teaches_nothing_and_spoils_nothing(gives):
    depth = scene()
    wanted = scene(1) if gives == "depth" else 1 / scene(1)
    wanted[0] = math.nan
    wanted[1, :, :4] = math.nan
    seen = disparities(depth)
    loss(seen, wanted, gives, drop=0.1).backward()
    grad = seen[0].grad
    assert grad.isfinite().all()
    assert not grad[0].any()
    assert not grad[1, :, :4].any()
    assert grad[1, :, 4:].any()
    nothing = loss(disparities(depth), torch.full_like(depth, math.nan), gives)
    assert nothing == 0


def test_the_sky_only_needs_to_be_far():
    sky = torch.full(SIZE, math.inf)
    assert loss(disparities(torch.full(SIZE, 90.0)), sky) < 1e-6
    near = disparities(torch.full(SIZE, 8.0))
    value = loss(near, sky)
    assert float(value) == pytest.approx(math.log(10), rel=1e-3)
    value.backward()
    assert near[0].grad.isfinite().all()
    assert (near[0].grad > 0).all()  # disparity is to fall
