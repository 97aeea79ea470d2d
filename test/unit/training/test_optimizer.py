# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rates of the two networks and when they fall, against both papers' schedules."""

from __future__ import annotations

import pytest
from torch import nn

from depth_node.config.training import TrainConfig
from depth_node.training.optimizer import build_optimizer, decay_steps

DEPTH, POSE = nn.Linear(2, 3), nn.Linear(2, 1)


@pytest.mark.parametrize(
    ("settings", "steps", "expected"),
    [
        ({}, 20, [15]),  # monodepth2: after 15 of 20 epochs
        ({"decay_at": 0.4, "decay_repeats": True}, 100, [40, 80]),  # TRI: every 40 of 100 epochs
        ({"decay_at": 30 / 50, "decay_repeats": True}, 50, [30]),  # TRI's published file: every 30 of 50
        ({"decay_at": 0.25, "decay_repeats": True}, 8, [2, 4, 6]),
        ({"decay_at": 1.0}, 10, [10]),  # never
        ({"decay_at": 0.0, "decay_repeats": True}, 10, [1]),
        ({"decay_at": 0.1}, 2, [1]),
    ],
)
def test_rates_fall_at_shares_of_the_run(settings, steps, expected):
    assert decay_steps(TrainConfig(**settings), steps) == expected


def rates(config, steps):
    """Rates of all groups before each step and after the last."""
    optimizer, schedule = build_optimizer(config, DEPTH, POSE, steps)
    seen = [tuple(group["lr"] for group in optimizer.param_groups)]
    for _ in range(steps):
        optimizer.step()
        schedule.step()
        seen.append(tuple(group["lr"] for group in optimizer.param_groups))
    return seen


def test_paper_a_halves_both_rates_twice():
    config = TrainConfig(
        learning_rate=2e-4, pose_learning_rate=5e-4, decay_at=0.4, decay_factor=0.5, decay_repeats=True
    )
    seen = rates(config, 10)
    assert seen[:4] == [(2e-4, 5e-4)] * 4
    assert seen[4] == pytest.approx((1e-4, 2.5e-4))
    assert seen[8:] == [pytest.approx((5e-5, 1.25e-4))] * 3


def test_one_rate_by_default_falls_to_a_tenth():
    seen = rates(TrainConfig(), 4)
    assert seen[0] == (1e-4,)
    assert seen[3] == pytest.approx((1e-5,))


def test_each_group_holds_its_networks_weights():
    optimizer, _ = build_optimizer(TrainConfig(pose_learning_rate=1e-3), DEPTH, POSE, 10)
    assert [list(map(id, group["params"])) for group in optimizer.param_groups] == [
        list(map(id, network.parameters())) for network in (DEPTH, POSE)
    ]
    single, _ = build_optimizer(TrainConfig(), DEPTH, POSE, 10)
    assert len(single.param_groups[0]["params"]) == 4
    assert single.defaults["betas"] == (0.9, 0.999)
    assert single.defaults["weight_decay"] == 0
