# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Filtered textures and road markings keep their mean and lose what a pixel cannot show."""

import numpy as np

from depth_node.simulation.markings import marking_coverage
from depth_node.simulation.street import Profile
from depth_node.simulation.texture import SIZE, Atlas, fractal_noise


def checkerboard():
    board = ((np.arange(SIZE)[:, None] // 8 + np.arange(SIZE)[None] // 8) % 2).astype(np.float32)
    return np.repeat(board[..., None], 4, axis=-1)


def test_ripmap_resolves_near_and_averages_far():
    atlas = Atlas([checkerboard(), checkerboard()], [(2.0, 2.0), (4.0, 4.0)])
    rng = np.random.default_rng(0)
    u, v = rng.uniform(0, 50, (2, 4000)).astype(np.float32)
    tile = np.ones(4000, np.int16)
    near = atlas.sample(tile, u, v, np.full(4000, 1e-3, np.float32), np.full(4000, 1e-3, np.float32))[:, 0]
    along = atlas.sample(tile, u, v, np.full(4000, 1.0, np.float32), np.full(4000, 1e-3, np.float32))[:, 0]
    assert np.mean((near < 0.01) | (near > 0.99)) > 0.7
    assert np.ptp(along) < 0.02


def test_tiles_repeat_without_a_seam():
    atlas = Atlas([checkerboard()], [(2.0, 2.0)])
    u = np.array([0.3, 2.3, 200.3, 1.9999, -0.0001], np.float32)
    size = np.full(5, 1e-3, np.float32)
    value = atlas.sample(np.zeros(5, np.int16), u, np.full(5, 0.1, np.float32), size, size)[:, 0]
    assert np.allclose(value[0], value[1:3], atol=0.05)
    assert abs(value[3] - value[4]) < 0.05


def test_fractal_noise_is_periodic_and_normalised():
    noise = fractal_noise(128, 1.0, np.random.default_rng(0))
    assert abs(noise.mean()) < 1e-5
    assert abs(noise.std() - 1) < 1e-5
    assert np.abs(noise[:, 0] - noise[:, -1]).mean() < 2 * np.abs(np.diff(noise, axis=1)).mean()


def test_markings_cover_what_they_should():
    profile = Profile(1, 3.5, 2.2, 3.0, (0.0, 0.0), (100.0,))
    s = np.array([1.0, 5.0, 1.0, 100.0, 100.0, 1.0], np.float32)
    d = np.array([0.0, 0.0, 3.5, 0.25, 0.75, 1.7], np.float32)
    fine = np.full(6, 1e-3, np.float32)
    assert np.allclose(marking_coverage(profile, s, d, fine, fine), [1, 0, 1, 1, 0, 0], atol=1e-3)
    wide = marking_coverage(profile, s[:1], d[:1], np.full(1, 900.0, np.float32), np.full(1, 1.2, np.float32))
    assert 0.02 < wide[0] < 0.06
