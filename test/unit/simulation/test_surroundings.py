# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Streets outside towns: they look different, and their depth is as exact as a town's."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.config.street import SURROUNDINGS, StreetConfig
from depth_node.simulation import labels, rig
from depth_node.simulation.drive import Simulator


def make(surroundings: str, **options) -> Simulator:
    quiet = {"lidar": False, "traffic": 0.0, "pedestrians": 0.0, "lead_car": False, "width": 320, "height": 96}
    return Simulator(StreetConfig(seed=21, frames=8, surroundings=surroundings, **(quiet | options)))


@pytest.fixture(scope="module")
def shares():
    """Share of each class over three frames, by surroundings."""
    found = {}
    for name in SURROUNDINGS:
        simulator = make(name)
        seen = np.concatenate([simulator.frame(k).picture.labels.ravel() for k in (0, 4, 7)])
        found[name] = np.bincount(seen, minlength=256) / seen.size
    return found


def test_houses_fill_towns_and_leave_open_roads(shares):
    houses = {name: shares[name][labels.BUILDING] for name in SURROUNDINGS}
    assert houses["town"] > 2 * houses["suburb"] > 0
    assert houses["country"] < 0.05
    assert shares["highway"][labels.TERRAIN] + shares["highway"][labels.VEGETATION] > 0.15
    assert all(shares[name][labels.ROAD] > 0.15 for name in SURROUNDINGS)


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_the_road_ahead_lies_where_the_camera_height_says(name):
    height = 1.3
    simulator = make(name, camera_height=height, focal=0.8, curvature=0.0)
    picture, K = simulator.frame(3).picture, rig.intrinsics(simulator.config)
    row = 90
    column = 160
    assert picture.labels[row, column] == labels.ROAD
    plane = K[1, 1] * height / (row - K[1, 2])  # of a level road, metres; the body nods by up to 0.25 degrees
    assert picture.depth[row, column] == pytest.approx(plane, rel=0.06)


def test_lorries_come_when_asked_for_and_stand_higher_than_cars():
    simulator = make("highway", traffic=2.0, lorries=1.0, lead_car=True)
    picture = simulator.frame(0).picture
    assert (picture.labels == labels.TRUCK).mean() > 0.02
    cars = make("highway", traffic=2.0, lorries=0.0, lead_car=True).frame(0).picture
    top = [np.flatnonzero((p.labels == c).any(axis=1)).min() for p, c in ((picture, labels.TRUCK), (cars, labels.CAR))]
    assert top[0] < top[1]


def test_the_same_seed_gives_the_same_open_road():
    first, second = (make("country").frame(2).picture for _ in range(2))
    assert np.array_equal(first.rgb, second.rgb)
    assert np.array_equal(first.depth, second.depth)
