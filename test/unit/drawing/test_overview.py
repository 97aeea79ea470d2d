# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures for people show things where they are."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.config.classes import CITYSCAPES
from depth_node.drawing.overview import BACKGROUND, birds_eye, overview

K = np.array([[100.0, 0, 79.5], [0, 100.0, 49.5], [0, 0, 1]])


def blank():
    """Nothing seen, in grey."""
    return np.full((100, 160), np.nan, np.float32), np.full((100, 160, 3), 90, np.uint8)


def place(picture, cell, color):
    """Ahead and right [m] of the mean pixel of a colour."""
    row, column = np.argwhere((picture == color).all(-1)).mean(0)
    return (picture.shape[0] - row - 0.5) * cell, (column + 0.5) * cell - picture.shape[1] * cell / 2


def test_a_thing_is_drawn_where_it_stands():
    depth, image = blank()
    depth[45:55, 100:110] = 20.0
    image[45:55, 100:110] = 255, 0, 0
    ahead, right = place(birds_eye(depth, image, K, reach=40.0, side=15.0, cell=0.25), 0.25, (255, 0, 0))
    assert ahead == pytest.approx(20.0, abs=0.3)
    assert right == pytest.approx((104.5 - 79.5) / 100 * 20.0, abs=0.3)


def test_the_highest_point_of_a_cell_is_seen():
    depth, image = blank()
    depth[40:60, 80] = 10.0
    image[:50] = 0, 200, 0
    picture = birds_eye(depth, image, K)
    assert (picture == (0, 200, 0)).all(-1).any()
    assert not (picture == 90).all(-1).any()


def test_what_is_high_far_or_unknown_is_left_out():
    depth, image = blank()
    depth[0, 80] = 10.0  # 5 m up
    depth[50, 0] = 39.0  # 31 m to the left
    depth[50, 80] = 41.0
    depth[51, 80] = np.inf
    depth[52, 80] = -np.inf
    assert (birds_eye(depth, image, K, ceiling=3.0) == BACKGROUND).all()


def test_the_overview_is_a_picture_for_any_depth():
    depth, image = blank()
    flat = np.full_like(depth, 12.0)
    ramp = np.tile(np.linspace(3.0, 60.0, 160, dtype=np.float32), (100, 1))
    for shown in (ramp, flat, depth, np.full_like(depth, np.inf)):
        picture = overview(image, shown, K, title="frame 3")
        assert picture.dtype == np.uint8
        assert picture.ndim == 3
        assert picture.shape[2] == 3
        assert picture.std() > 10


def test_classes_get_a_row_and_a_legend_of_what_is_there():
    depth, image = blank()
    labels = np.full(depth.shape, CITYSCAPES.index("road"), np.uint8)
    labels[:50] = CITYSCAPES.index("sky")
    without = overview(image, depth, K)
    picture = overview(image, depth, K, labels=labels, classes=CITYSCAPES)
    assert picture.shape[0] > 1.3 * without.shape[0]
    for name, there in (("road", True), ("sky", True), ("car", False)):
        color = CITYSCAPES.colors[CITYSCAPES.index(name)]
        assert (picture == color).all(-1).any() == there
        assert not (without == color).all(-1).any()
