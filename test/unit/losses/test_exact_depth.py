# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The loss against exact depth, by values that are plain to see."""

from __future__ import annotations

import math

import pytest
import torch

from depth_node.geometry.disparity import depth_to_disparity
from depth_node.losses.exact_depth import FAR, exact_depth_loss

LOW, HIGH = 0.1, 100.0


def loss(predicted: torch.Tensor, depth: torch.Tensor, **weights: float) -> float:
    disparity = depth_to_disparity(predicted, LOW, HIGH)
    return float(exact_depth_loss([disparity], depth, LOW, HIGH, **weights))


@pytest.fixture
def depth():
    return 5 + 20 * torch.rand(2, 1, 16, 24, generator=torch.Generator().manual_seed(2))


def test_the_truth_costs_nothing(depth):
    assert loss(depth, depth) == pytest.approx(0, abs=1e-5)


def test_a_wrong_scale_costs_its_logarithm_times_its_weight(depth):
    assert loss(1.5 * depth, depth, absolute=0.2) == pytest.approx(0.2 * math.log(1.5), rel=1e-3)
    assert loss(1.5 * depth, depth, absolute=0.0) == pytest.approx(0, abs=1e-5)


def test_a_step_costs_its_height_and_its_edge(depth):
    flat = torch.full_like(depth, 10.0)
    stepped = flat.clone()
    stepped[..., 12:] = 20.0  # half of the picture: half of log 2 away from the mean
    shape = math.log(2) / 2
    edge = sum(stride / (24 - stride) for stride in (1, 2, 4, 8)) * math.log(2) / 4
    wanted = shape + 0.5 * edge
    assert loss(stepped, flat, gradient=0.5, absolute=0.0) == pytest.approx(wanted, rel=1e-4)


def test_what_is_unknown_does_not_count(depth):
    guess = depth.clone()
    guess[..., :6] = 77.0
    known = depth.clone()
    known[..., :6] = 0.0
    assert loss(guess, known) == pytest.approx(0, abs=1e-5)


def test_the_sky_must_only_be_far(depth):
    sky = torch.full_like(depth, math.inf)
    assert loss(torch.full_like(depth, 95.0), sky) == pytest.approx(0, abs=1e-6)
    assert loss(torch.full_like(depth, FAR / 2), sky) == pytest.approx(math.log(2), rel=1e-3)


def test_gradients_are_finite_beside_the_sky(depth):
    depth[..., :4, :] = math.inf
    disparity = torch.full((2, 1, 8, 12), 0.1, requires_grad=True)
    exact_depth_loss([disparity], depth, LOW, HIGH).backward()
    assert torch.isfinite(disparity.grad).all()
    assert disparity.grad.abs().sum() > 0
