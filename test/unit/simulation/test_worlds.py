# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Streets by number: the same ones in the same order, however many processes render them."""

from __future__ import annotations

import dataclasses

import numpy as np

from depth_node.config.pretraining import WorldsConfig
from depth_node.simulation import worlds
from depth_node.simulation.worlds import draw_street, render_streets

SMALL = WorldsConfig(width=96, height=64, frames=1, streets=2, workers=1)


def test_the_number_of_processes_changes_nothing(tmp_path):
    one = list(render_streets(SMALL, tmp_path / "one"))
    two = list(render_streets(dataclasses.replace(SMALL, workers=2), tmp_path / "two"))
    assert len(one) == len(two) == 2
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.images, b.images)
        assert np.array_equal(a.depths, b.depths)
        assert np.array_equal(a.K, b.K)
    assert one[0].images.shape == (1, 64, 96, 3)
    assert not np.array_equal(one[0].images, one[1].images)


def test_a_kept_street_is_read_and_a_damaged_or_other_one_drawn_anew(tmp_path, monkeypatch):
    drawn = worlds.kept_street(7, SMALL, tmp_path)
    path = tmp_path / "7.npz"
    with monkeypatch.context() as patch:
        patch.setattr(worlds, "render_street", None)
        read = worlds.kept_street(7, SMALL, tmp_path)
    for name in ("images", "depths", "labels", "K"):
        assert np.array_equal(getattr(read, name), getattr(drawn, name))
    path.write_bytes(path.read_bytes()[:-200])
    assert np.array_equal(worlds.kept_street(7, SMALL, tmp_path).images, drawn.images)
    other = dataclasses.replace(SMALL, width=128)
    assert worlds.kept_street(7, other, tmp_path).images.shape[2] == 128
    assert worlds.kept_street(7, other, tmp_path).images.shape[2] == 128
    assert [file.name for file in tmp_path.iterdir()] == ["7.npz"]


def test_streets_and_cameras_differ():
    streets = [draw_street(number, SMALL) for number in range(60)]
    assert {street.surroundings for street in streets} == {"town", "suburb", "country", "highway"}
    focal = [street.focal for street in streets]
    assert min(focal) < 0.5
    assert max(focal) > 0.9
    assert draw_street(7, SMALL) == streets[7]
