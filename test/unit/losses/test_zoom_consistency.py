# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from depth_node.datasets.randomness import Draws
from depth_node.datasets.zoom import draw_zoom
from depth_node.geometry.disparity import depth_to_disparity
from depth_node.losses.zoom_consistency import zoom_loss


def disparity(depth):
    return depth_to_disparity(depth, 0.1, 100.0)


def test_twice_as_large_is_half_as_far():
    depth = 4 + 20 * torch.rand(2, 1, 8, 16)
    factor = torch.tensor([2.0, 1.25])
    right = depth / factor.reshape(-1, 1, 1, 1)
    assert zoom_loss(disparity(depth), disparity(right), factor, 0.1, 100.0) < 1e-4
    same = zoom_loss(disparity(depth), disparity(depth), factor, 0.1, 100.0)
    assert float(same) == pytest.approx((math.log(2) + math.log(1.25)) / 2, rel=1e-3)


def test_both_sides_learn_and_infinity_spoils_nothing():
    whole = torch.full((1, 1, 4, 4), 0.3, requires_grad=True)
    part = torch.full((1, 1, 4, 4), 0.3, requires_grad=True)
    zoom_loss(whole, part, torch.tensor([2.0]), 0.1, 100.0).backward()
    # The part is to come out half as far: it wants more disparity, the whole wants less.
    assert (part.grad < 0).all()
    assert (whole.grad > 0).all()
    nothing = zoom_loss(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 4), torch.tensor([2.0]), 0.1, 100.0)
    assert nothing == 0


def test_a_zoom_is_a_crop_at_full_size():
    draws = Draws.of_step(0, 0, range(16))
    zoom = draw_zoom(draws, 2.0, 32, 64, torch.device("cpu"))
    assert ((zoom.factor >= 1) & (zoom.factor <= 2)).all()
    assert zoom.factor.std() > 0.1
    x = torch.linspace(0, 1, 64).expand(16, 1, 32, 64)
    seen = zoom.of(x)[:, 0, 16]
    # A ramp stays a ramp whose steps are smaller by the factor, within the picture.
    steps = (seen[:, 1:] - seen[:, :-1])[:, 8:-8].mean(1) * 63
    torch.testing.assert_close(steps, 1 / zoom.factor, rtol=0.02, atol=0.0)
    assert seen.min() >= 0
    assert seen.max() <= 1
    # The same numbers on resuming, and other ones in another step.
    again = draw_zoom(Draws.of_step(0, 0, range(16)), 2.0, 32, 64, torch.device("cpu"))
    assert torch.equal(again.grid, zoom.grid)
    assert not torch.equal(draw_zoom(Draws.of_step(0, 1, range(16)), 2.0, 32, 64, torch.device("cpu")).grid, zoom.grid)
    one = draw_zoom(draws, 1.0, 32, 64, torch.device("cpu"))
    torch.testing.assert_close(one.of(x), x, rtol=0, atol=1e-4)
