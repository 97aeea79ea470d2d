# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The change of unit between pictures, the filter that takes it out, and the consistency that both are judged by."""

import math
from itertools import pairwise

import numpy as np
import pytest

from depth_node.scale.consistency import consistency
from depth_node.scale.depth_frame import NoReading
from depth_node.scale.flicker import LONGEST_GAP, FlickerFilter, unit_change

UNIT = 12.0


def way(ahead):
    transform = np.eye(4)
    transform[2, 3] = -ahead / UNIT
    return transform


def test_exact_depth_of_two_pictures_agrees(world):
    found = consistency(world.frame(), world.frame(1.0), way(1.0), math.inf)
    assert found.change == pytest.approx(0.0, abs=2e-3)
    assert found.error < 0.01


def test_a_changed_unit_is_found_as_it_is(world):
    found = consistency(world.frame(), world.frame(1.0).times(1.1), way(1.0), math.inf)
    assert found.change == pytest.approx(math.log(1.1), abs=3e-3)
    assert found.error == pytest.approx(0.1, abs=0.015)
    assert unit_change(world.frame(), world.frame(0.7).times(1.1)) == pytest.approx(math.log(1.1), abs=0.01)


def test_what_moves_does_not_count(world):
    first, second = world.frame(), world.frame(1.0)
    second.depth[40:60, 100:200] *= 3.0
    disturbed = consistency(first, second, way(1.0), math.inf).error
    second.moving[40:60, 100:200] = True
    assert consistency(first, second, way(1.0), math.inf).error < disturbed / 4


def test_far_away_is_left_out(world):
    with pytest.raises(NoReading, match="hardly any"):
        consistency(world.frame(), world.frame(1.0), way(1.0), 0.01)


def flickering(world, count=40, stamp=lambda number: number * 100_000_000):
    units = np.exp(np.random.default_rng(1).normal(0, 0.04, count))
    frames = [world.frame(0.4 * number, stamp_ns=stamp(number)).times(float(units[number])) for number in range(count)]
    return units, frames


def test_flicker_is_taken_out_and_reported(world):
    units, frames = flickering(world)
    flicker = FlickerFilter()
    factors = np.array([flicker.update(frame) for frame in frames])
    before, after = (np.diff(np.log(values)).std() for values in (units, units * factors))
    assert after < before / 3
    reported = flicker.flicker()
    assert reported.before == pytest.approx(before, rel=0.1)
    assert reported.after == pytest.approx(after, rel=0.4)
    assert reported.pictures == len(frames) - 1


def test_it_only_watches_where_it_is_not_wanted(world):
    _, frames = flickering(world, 12)
    flicker = FlickerFilter()
    assert {flicker.update(frame, smooth=False) for frame in frames} == {1.0}
    assert flicker.flicker().after == pytest.approx(flicker.flicker().before)


def test_standing_still_keeps_the_unit(world):
    flicker = FlickerFilter()
    factors = [flicker.update(world.frame(stamp_ns=number * 100_000_000)) for number in range(10)]
    assert factors == pytest.approx([1.0] * 10, abs=1e-3)


@pytest.mark.parametrize("seconds", [-86400.0, -5.0, 0.0, 2 * LONGEST_GAP])
def test_a_jump_in_time_starts_anew(world, seconds):
    _, frames = flickering(world, 6)
    flicker = FlickerFilter()
    for frame in frames:
        flicker.update(frame)
    later = world.frame(5.0, stamp_ns=frames[-1].stamp_ns + round(seconds * 1e9)).times(1.3)
    assert flicker.update(later) == 1.0


def test_another_size_starts_anew(world):
    flicker = FlickerFilter()
    flicker.update(world.frame())
    assert flicker.update(world.frame(0.4, stamp_ns=100_000_000).thinned(160).times(1.2)) == 1.0


def test_edges_stay_as_they_are(world):
    _, frames = flickering(world, 8)
    flicker = FlickerFilter()
    for frame in frames:
        corrected = frame.times(flicker.update(frame))
        np.testing.assert_allclose(
            np.diff(np.log(corrected.depth), axis=1), np.diff(np.log(frame.depth), axis=1), atol=1e-5
        )


def test_thinned_and_shrunk_pictures_show_the_same_camera(world):
    frame = world.frame()
    for small in (frame.thinned(160), frame.shrunk(160)):
        x, y = 50.0, 30.0
        ray = small.rays(np.array([[x, y]]))[0]
        there = frame.K @ ray
        assert small.at(np.array([[x, y]]))[0] == pytest.approx(frame.at(there[None, :2])[0], rel=0.02)


def test_consecutive_pictures_of_a_drive_stay_in_one_unit(world):
    _, frames = flickering(world, 5)
    assert len([unit_change(a, b) for a, b in pairwise(frames)]) == 4
