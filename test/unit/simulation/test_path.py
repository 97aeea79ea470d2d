# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Paths are addressed by arc length and speeds integrate to ways."""

import numpy as np
import pytest

from depth_node.config.street import StreetConfig
from depth_node.simulation import rig
from depth_node.simulation.path import Motion, center_line, vehicle_path
from depth_node.simulation.street import build_paths


def test_vehicle_path_is_parametrised_by_its_own_length():
    rng = np.random.default_rng(0)
    center = center_line(200.0, 1.0, rng)
    path = vehicle_path(center, -1.75, 0.15, 60.0, rng)
    s = np.arange(0.0, 200.0, 0.5)
    points, headings = path.at(s)
    steps = np.diff(points, axis=0)
    assert np.allclose(np.linalg.norm(steps, axis=1), 0.5, atol=1e-3)
    assert np.abs(np.arctan2(steps[:, 1], steps[:, 0]) - headings[:-1]).max() < 0.02
    assert np.ptp(headings) > 0.05


@pytest.mark.parametrize(("weave", "length"), [(0.0, 60.0), (0.15, 60.0), (1.0, 25.0)])
def test_the_ego_vehicle_sways_as_far_and_as_often_as_asked(weave, length):
    street = build_paths(StreetConfig(seed=3, frames=400, curvature=0.0, weave=weave, weave_length=length))
    lane = -street.profile.lane_width * (street.profile.lanes - 0.5)
    aside = street.ego.at(np.arange(0.0, 350.0, 0.5))[0][:, 1] - lane
    assert np.abs(aside).max() == pytest.approx(weave, rel=0.02, abs=1e-6)
    swings = (np.diff(np.sign(aside)) != 0).sum() / 2
    if weave:
        assert 350 / (length * 4 / 3) - 1 <= swings <= 350 / (length * 0.75) + 1


def test_way_is_the_integral_of_speed():
    motion = Motion(10.0, 1.0, 0.4, 0.7)
    t = np.linspace(0, 9, 90_001)
    speeds = 10.0 + np.sin(0.4 * t + 0.7)
    numeric = float(np.sum((speeds[1:] + speeds[:-1]) / 2 * np.diff(t)))
    assert abs(numeric - motion.way(9.0)) < 1e-6


def test_odometry_speed_is_the_path_speed():
    street = build_paths(StreetConfig(seed=5, frames=50))
    for t in (0.0, 1.3, 4.0):
        linear, angular = rig.twist(street, t)
        assert abs(np.linalg.norm(linear) / street.motion.speed(t) - 1) < 0.01
        assert abs(linear[0] / street.motion.speed(t) - 1) < 0.01
        assert abs(angular[2]) < 0.5
