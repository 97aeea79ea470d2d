# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The marking and clearing grid of experiments/obstacle_grid.py, fed with clouds of exact depth."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from depth_node.config.street import StreetConfig
from depth_node.inference.tensor_prediction import CloudPacker
from depth_node.simulation import labels, rig
from depth_node.simulation.drive import Simulator

EXPERIMENT = runpy.run_path(str(Path(__file__).parents[2] / "experiments/obstacle_grid.py"))
Grid, CELL, LOW, HIGH = (EXPERIMENT[name] for name in ("Grid", "CELL", "LOW", "HIGH"))
MARK, MAX_RANGE, CLEAR = 8.0, 10.0, 12.0
STREET = StreetConfig(
    seed=201, frames=30, width=320, height=96, lidar=False, workers=1, lead_car=True, lead_gap=9.0, pedestrians=0.0
)


@pytest.fixture(scope="module")
def simulator():
    return Simulator(STREET)


def points_of(picture, clear_range):
    """(N, 3) points of a picture's exact depth in base_link, as the node's cloud has them."""
    K = rig.intrinsics(STREET)
    depth = torch.from_numpy(picture.depth.copy())
    cloud = CloudPacker(STREET.height, STREET.width, K).pack(
        depth, torch.from_numpy(picture.rgb.copy()), max_range=MAX_RANGE, clear_range=clear_range
    )
    xyz = np.stack([cloud["x"], cloud["y"], cloud["z"]], -1).reshape(-1, 3).astype(np.float64)
    T = rig.base_from_camera(STREET)
    return xyz @ T[:3, :3].T + T[:3, 3], T[:3, 3]


def truth_of(picture):
    """Cells of things that stand on the road or beside it within the obstacle range, by their labels."""
    grid = Grid()
    points, origin = points_of(picture, 0.0)
    stands = ~np.isin(picture.labels.ravel(), (labels.ROAD, labels.SIDEWALK, labels.TERRAIN, labels.SKY))
    high = stands & np.isfinite(points).all(1) & (points[:, 2] > LOW) & (points[:, 2] < HIGH)
    near = high & (np.linalg.norm(points - origin, axis=1) < MARK)
    grid.marked[grid.cells(points[near, 0], points[near, 1])] = True
    return grid.marked


def test_cars_are_marked_and_the_road_is_free(simulator):
    for index in (0, 12, 24):
        picture, grid = simulator.frame(index).picture, Grid()
        grid.update(*points_of(picture, CLEAR))
        wanted = truth_of(picture)
        assert wanted.any()
        assert (grid.marked & wanted).sum() >= 0.98 * wanted.sum()
        assert (grid.marked & ~wanted).sum() <= 0.02 * wanted.sum() + 1
        # The lane between the own car and the one ahead is free.
        row, column = grid.cells(np.arange(3.0, 6.0, CELL), np.zeros(12))
        assert not grid.marked[row, column].any()


def test_what_has_left_is_cleared_only_with_points_that_clear(simulator):
    picture = simulator.frame(0).picture
    gone = {}
    for clear in (0.0, CLEAR):
        grid = Grid()
        row, column = grid.cells(np.array([6.0, 7.0]), np.array([0.3, -0.3]))
        grid.marked[row, column] = True  # something that stood in the lane, high enough to see the sky behind it
        empty = picture.depth.copy()
        empty[:] = np.inf  # a camera that sees nothing but sky
        sky = type(picture)(picture.rgb, empty, picture.labels)
        for _ in range(3):
            grid.update(*points_of(sky, clear))
        gone[clear] = not grid.marked[row, column].any()
        assert not (grid.marked.sum() - grid.marked[row, column].sum())  # the sky marks nothing
    assert gone == {0.0: False, CLEAR: True}


def test_agreement_counts_cells_and_their_neighbours():
    found, wanted = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    found[5, 5] = found[10, 10] = found[18, 3] = True  # right, two cells away, nothing near
    wanted[5, 5] = wanted[12, 10] = wanted[2, 17] = wanted[2, 18] = True
    counts = EXPERIMENT["agreement"](found, wanted)
    assert counts == {"found": 3, "wanted": 4, "both": 1, "found near": 2, "wanted near": 2}
