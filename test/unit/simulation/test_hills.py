# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Hills: the road lies where its height says, and the car stands on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from depth_node.config.street import StreetConfig
from depth_node.simulation import labels, rig
from depth_node.simulation.drive import Simulator
from depth_node.simulation.hills import Hills
from depth_node.simulation.street import build_paths

HILLY = StreetConfig(
    seed=7, frames=60, width=192, height=64, slope=0.1, slope_length=120.0, curvature=1.0, lidar=False, workers=1
)


@pytest.fixture(scope="module")
def simulator() -> Simulator:
    return Simulator(HILLY)


def test_slope_is_the_derivative_of_the_height() -> None:
    hills, x = Hills(0.1, 150.0, 0.7), np.linspace(-200, 400, 200)
    numeric = (hills.height(x + 1e-3) - hills.height(x - 1e-3)) / 2e-3
    assert np.allclose(hills.grade(x), numeric, atol=1e-6)
    assert np.abs(hills.grade(x)).max() == pytest.approx(0.1, rel=1e-3)
    assert hills.height(0.0) == 0


@pytest.mark.parametrize("heading", [0.0, 0.6, 3.0])
def test_a_body_stands_square_on_the_ground(heading: float) -> None:
    hills, x = Hills(0.15, 120.0, 1.0), 30.0
    R = hills.standing(x, heading)
    assert np.allclose(R.T @ R, np.eye(3), atol=1e-12)
    assert np.linalg.det(R) == pytest.approx(1.0)
    # A step along each of the body's horizontal axes stays on the ground, to first order.
    for axis in R.T[:2]:
        there = hills.height(x + 1e-4 * axis[0]) - hills.height(x)
        assert there == pytest.approx(1e-4 * axis[2], abs=1e-8)
    assert np.arctan2(R[1, 0], R[0, 0]) == pytest.approx(heading)


@pytest.mark.parametrize("index", [0, 20, 40, 59])
def test_road_that_is_seen_lies_at_its_height(simulator: Simulator, index: int) -> None:
    picture = simulator.frame(index).picture
    pose = rig.world_from_base(simulator.street, index / HILLY.rate) @ rig.base_from_camera(HILLY)
    K = rig.intrinsics(HILLY)
    road = (picture.labels == labels.ROAD) & (picture.depth < 60)
    y, x = np.nonzero(road)
    rays = np.stack([(x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1], np.ones_like(x)], axis=1)
    points = (rays * picture.depth[road][:, None]) @ pose[:3, :3].T + pose[:3, 3]
    assert len(points) > 500
    # Triangles of 2 m are chords of a hill with a radius of 190 m.
    assert np.abs(points[:, 2] - simulator.street.hills.height(points[:, 0])).max() < 0.02


def test_slope_changes_while_driving(simulator: Simulator) -> None:
    poses = [rig.world_from_base(simulator.street, t) for t in np.arange(0, 6, 0.5)]
    climbs = np.array([pose[2, 0] for pose in poses])
    assert climbs.max() > 0.05
    assert climbs.min() < -0.05
    heights = np.array([pose[2, 3] for pose in poses])
    ground = [float(simulator.street.hills.height(pose[0, 3])) for pose in poses]
    assert np.abs(heights - ground).max() < 0.01


def test_road_on_a_climb_is_as_bright_as_level_road(simulator: Simulator) -> None:
    # A surface whose normal stays upright would seem to be seen from below on a climb, and black.
    level = Simulator(replace(HILLY, slope=0.0))
    shares = []
    for one in (simulator, level):
        pictures = [one.frame(index).picture for index in (0, 20, 40)]
        bright = [picture.rgb[picture.labels == labels.ROAD].mean(axis=1) for picture in pictures]
        shares.append(np.mean(np.concatenate(bright) < 50))
    assert shares[0] < shares[1] + 0.05


def test_level_streets_stay_what_they_were() -> None:
    level = build_paths(replace(HILLY, slope=0.0))
    hilly = build_paths(HILLY)
    assert np.array_equal(level.ego.points, hilly.ego.points)
    pose = rig.world_from_base(level, 2.0)
    assert abs(pose[2, 3]) < 0.01
