# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Streets by number: the same ones in the same order, however many processes render them."""

from __future__ import annotations

import dataclasses

import numpy as np

from depth_node.config.pretraining import WorldsConfig
from depth_node.simulation.worlds import draw_street, render_streets

SMALL = WorldsConfig(width=96, height=64, frames=2, streets=3, workers=1)


def test_the_number_of_processes_changes_nothing():
    one = list(render_streets(SMALL))
    two = list(render_streets(dataclasses.replace(SMALL, workers=2)))
    assert len(one) == len(two) == 3
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a.images, b.images)
        assert np.array_equal(a.depths, b.depths)
        assert np.array_equal(a.K, b.K)
    assert one[0].images.shape == (2, 64, 96, 3)
    assert not np.array_equal(one[0].images, one[1].images)


def test_streets_and_cameras_differ():
    streets = [draw_street(number, SMALL) for number in range(60)]
    assert {street.surroundings for street in streets} == {"town", "suburb", "country", "highway"}
    focal = [street.focal for street in streets]
    assert min(focal) < 0.5
    assert max(focal) > 0.9
    assert draw_street(7, SMALL) == streets[7]
