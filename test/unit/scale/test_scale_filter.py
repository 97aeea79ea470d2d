# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One filter for all sources: order, silence, lies, jumps."""

import math

import pytest

from depth_node.scale.depth_frame import NoReading, Reading
from depth_node.scale.scale_filter import FASTEST, ScaleFilter
from depth_node.scale.source_track import SETTLED

BEST, SECOND = "lidar", "camera_height"


class Drive:
    """Sources read five times a second while time goes by."""

    def __init__(self, *sources):
        self.filter = ScaleFilter(sources or (BEST, SECOND), 20.0, "checkpoint")
        self.now, self.scales = 0.0, []

    def go(self, seconds, **scales):
        for _ in range(round(seconds * 5)):
            self.now += 0.2
            for name, scale in scales.items():
                said = scale if isinstance(scale, NoReading) else Reading(math.log(scale), 100)
                self.filter.add(name, said, self.now)
            self.state = self.filter.update(self.now)
            self.scales.append(self.state.scale)
        return self.state


def test_a_guess_holds_until_something_is_measured():
    drive = Drive()
    state = drive.go(1.0)
    assert (state.scale, state.source, state.is_measured) == (20.0, "checkpoint", False)
    drive.go(0.2 * (SETTLED - 1), lidar=12.0)
    assert drive.state.scale == 20.0
    state = drive.go(0.2, lidar=12.0)
    assert (state.scale, state.source, state.is_measured) == (pytest.approx(12.0), BEST, True)


def test_the_best_that_speaks_leads_and_nothing_jumps():
    drive = Drive()
    drive.go(4.0, lidar=12.0, camera_height=13.0)
    assert (drive.state.source, drive.state.scale) == (BEST, pytest.approx(12.0))
    drive.go(4.0, camera_height=13.0)
    assert (drive.state.source, drive.state.scale) == (SECOND, pytest.approx(13.0))
    drive.go(4.0, lidar=12.0, camera_height=13.0)
    assert (drive.state.source, drive.state.scale) == (BEST, pytest.approx(12.0))
    steps = [abs(math.log(b / a)) for a, b in zip(drive.scales[SETTLED:], drive.scales[SETTLED + 1 :], strict=False)]
    assert max(steps) <= FASTEST * 0.2 + 1e-9


@pytest.mark.parametrize("lie", [2.0, 0.3])
def test_a_source_that_lies_for_a_second_moves_nothing(lie):
    drive = Drive()
    drive.go(5.0, lidar=12.0)
    for _ in range(5):
        drive.go(0.2, lidar=12.0 * lie)
        assert drive.state.scale == pytest.approx(12.0, rel=0.01)
    assert drive.go(0.2, lidar=12.0).scale == pytest.approx(12.0)


def test_what_lasts_is_believed():
    drive = Drive()
    drive.go(5.0, lidar=12.0)
    assert drive.go(12.0, lidar=18.0).scale == pytest.approx(18.0)


def test_the_last_measured_value_is_held_and_said_to_be():
    drive = Drive()
    drive.go(3.0, lidar=12.0)
    state = drive.go(10.0)
    assert (state.scale, state.source, state.is_held) == (pytest.approx(12.0), BEST, True)
    assert state.age == pytest.approx(10.0)


def test_standing_still_keeps_a_source_that_waits():
    drive = Drive("odometry", SECOND)
    drive.go(3.0, odometry=12.0, camera_height=13.0)
    waiting = NoReading("stands still", is_waiting=True)
    state = drive.go(30.0, odometry=waiting, camera_height=13.0)
    assert (state.source, state.scale, state.is_held) == ("odometry", pytest.approx(12.0), False)
    assert state.reasons == {"odometry": "stands still"}
    assert state.troubles == {}


def test_a_source_in_trouble_says_why_and_the_next_takes_over():
    drive = Drive()
    state = drive.go(3.0, lidar=NoReading("no transform"), camera_height=13.0)
    assert (state.source, state.troubles) == (SECOND, {BEST: "no transform"})


def test_spread_is_that_of_the_readings():
    drive = Drive()
    for number in range(20):
        drive.go(0.2, lidar=12.0 * math.exp(0.02 * (-1) ** number))
    assert drive.state.spread == pytest.approx(0.02 * 1.4826, rel=0.8)
    assert 0.0 < drive.state.age + 1e-9 < 0.3


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_is_no_reading(value):
    drive = Drive()
    for _ in range(10):
        drive.filter.add(BEST, Reading(value, 5), drive.now)
        drive.now += 0.2
    assert not drive.filter.update(drive.now).is_measured
