# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Colours: near bright, far dark, unknown black."""

from __future__ import annotations

import matplotlib
import numpy as np

from depth_node.config.classes import CITYSCAPES
from depth_node.drawing.colorize import color_labels, colorize_depth, colorize_disparity, depth_limits

RAMP = np.tile(np.linspace(2.0, 50.0, 200, dtype=np.float32), (8, 1))


def brightness(colours):
    return colours.astype(int).sum(-1)


def test_near_is_bright():
    colours = colorize_depth(RAMP)
    assert colours.shape == (8, 200, 3)
    assert colours.dtype == np.uint8
    assert (np.diff(brightness(colours)[0]) <= 6).all()
    assert brightness(colours)[0, 0] > 500
    assert brightness(colours)[0, -1] < 30


def test_colours_are_magma_over_inverse_depth():
    colours = colorize_depth(RAMP, near=2.0, far=50.0)
    level = (1 / RAMP[0] - 1 / 50) / (1 / 2 - 1 / 50)
    expected = matplotlib.colormaps["magma"](level)[:, :3] * 255
    assert np.abs(colours[0] - expected).max() < 6


def test_what_is_unknown_is_black_and_infinities_have_ends():
    depth = RAMP.copy()
    depth[0, :3] = np.nan, np.inf, -np.inf
    colours = colorize_depth(depth, near=2.0, far=50.0)
    assert colours[0, 0].tolist() == [0, 0, 0]
    assert brightness(colours)[0, 1] == brightness(colours).min(where=~np.isnan(depth), initial=999)
    assert brightness(colours)[0, 2] == brightness(colours).max()


def test_given_limits_keep_colours_steady():
    other = np.vstack([RAMP, np.full_like(RAMP, 1.0)])
    np.testing.assert_array_equal(colorize_depth(other, 2.0, 50.0)[:8], colorize_depth(RAMP, 2.0, 50.0))
    assert not np.array_equal(colorize_depth(other)[:8], colorize_depth(RAMP))


def test_limits_ignore_what_is_no_depth():
    depth = RAMP.copy()
    depth[:, ::7] = np.nan
    depth[:, 1::7] = np.inf
    near, far = depth_limits(depth)
    assert 2.0 <= near < 5.0
    assert 40.0 < far <= 50.0


def test_pictures_without_contrast_or_without_depth():
    for depth in (np.full((8, 8), 7.0), np.full((8, 8), np.nan), np.full((8, 8), np.inf)):
        assert colorize_depth(depth.astype(np.float32)).shape == (8, 8, 3)
    assert not colorize_depth(np.full((8, 8), np.nan, np.float32)).any()


def test_disparity_has_no_unit():
    inverse = 1.0 / RAMP
    np.testing.assert_array_equal(colorize_disparity(inverse), colorize_disparity(64.0 * inverse))
    np.testing.assert_array_equal(colorize_disparity(inverse), colorize_depth(RAMP))


def test_each_class_has_its_colour_and_the_rest_is_black():
    colors = color_labels(np.array([[0, 13], [19, 255]], np.uint8), CITYSCAPES)
    assert colors.dtype == np.uint8
    assert colors.tolist() == [[[128, 64, 128], [0, 0, 142]], [[0, 0, 0], [0, 0, 0]]]
