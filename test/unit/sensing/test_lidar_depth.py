# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Lidar points land in the right pixel; those the camera cannot see are left out of the truth."""

from __future__ import annotations

import numpy as np

from depth_node.camera.rectification import StoredCamera
from depth_node.kitti.calibration import lidar_at_camera
from depth_node.sensing.lidar_depth import drop_hidden, project_points

K = np.array([[100.0, 0, 50], [0, 100.0, 30], [0, 0, 1]])
CAMERA = StoredCamera("camera", 101, 61, tuple(K.ravel()), tuple(np.eye(3).ravel()))


def test_a_point_belongs_to_its_rounded_pixel_and_the_nearest_wins():
    points = np.array([
        [10, 0, 0, 0.5], [8, 0.03, 0, 0.5], [20, 0, 0, 0.5], [10, -1.04, 0.96, 0], [-5, 0, 0, 0], [10, 60, 0, 0]
    ], np.float32)  # fmt: skip
    depth = project_points(points, lidar_at_camera(), CAMERA)
    assert depth.shape == (61, 101)
    assert depth.dtype == np.float32
    assert np.isfinite(depth).sum() == 2
    assert depth[30, 50] == 8  # 10 and 20 m fall there as well
    assert depth[20, 60] == 10  # right and up in the picture: y left is negative, z up positive


def test_no_points_at_all():
    empty = project_points(np.zeros((0, 4), np.float32), lidar_at_camera(), CAMERA)
    assert np.isnan(empty).all()
    assert np.isnan(drop_hidden(empty, lidar_at_camera(), CAMERA)).all()


def test_walls_behind_a_pole_are_hidden_but_roads_and_walls_are_not():
    """A lidar half a metre above the camera looks over a box at the wall; the camera cannot."""
    T_camera_lidar = lidar_at_camera()
    T_camera_lidar[1, 3] = -0.5
    depth = np.full((61, 101), np.nan, np.float32)
    depth[10:20, 20:80:2] = 40.0  # wall above the box
    depth[20:28, 20:80:2] = 40.0  # wall as the lidar sees it over the box, but within the box's outline from here
    depth[22:35, 21:80:2] = 5.0  # the box: its top edge is at row 22
    rows = np.arange(40, 61)
    depth[40:, 20:80:3] = (100 * 1.5 / (rows - 30))[:, None]  # road, 1.5 m below the camera
    kept = drop_hidden(depth, T_camera_lidar, CAMERA)
    assert np.isfinite(kept[10:12, 20:80:2]).all()
    assert np.isnan(kept[22:28, 20:80:2]).all()
    assert np.isfinite(kept[22:35, 21:80:2]).all()
    assert np.isfinite(kept[42:, 20:80:3]).mean() > 0.95


def test_a_lidar_in_the_camera_hides_nothing():
    depth = np.where(np.random.default_rng(0).random((61, 101)) < 0.2, 50.0, 3.0).astype(np.float32)
    np.testing.assert_array_equal(drop_hidden(depth, lidar_at_camera(), CAMERA), depth)
