# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Stamps: order, gaps, clocks that were set, an even rate."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.config.record import RecordConfig
from depth_node.recording.timeline import SECOND, TimedImage, Timeline

START = 1_700_000_000 * SECOND


def run(times, usual=0.1, **settings) -> list[TimedImage]:
    """What becomes of pictures at these times in seconds after the start, in the order of their numbers."""
    timeline = Timeline(RecordConfig(**settings), usual * SECOND)
    out: list[TimedImage] = []
    for number, time in enumerate(times):
        out += timeline.add(TimedImage(number, START + round(time * SECOND), None))
    out += timeline.finish()
    assert sorted(picture.number for picture in out) == list(range(len(times)))
    return out


def kept(out) -> list[int]:
    return [picture.number for picture in out if not picture.dropped]


def begins(out) -> dict[int, str]:
    return {picture.number: picture.begins for picture in out if picture.begins and not picture.dropped}


def test_an_even_stream_passes():
    out = run(np.arange(50) / 10)
    assert kept(out) == list(range(50))
    assert begins(out) == {0: "start of the bag"}


@pytest.mark.parametrize("rate", [0.2, 1, 5, 30, 100])
def test_a_gap_begins_a_drive_at_any_rate_and_jitter_does_not(rate):
    jitter = np.random.default_rng(0).uniform(-0.2, 0.2, 60) / rate
    times = np.arange(60) / rate + jitter
    times[30:] += max(4 / rate, 0.6)
    assert list(begins(run(times, usual=1 / rate))) == [0, 30]
    assert begins(run(times, usual=1 / rate))[30].startswith("gap of")


def test_two_lost_pictures_at_ten_a_second_are_no_gap_but_more_are():
    lost = [t for t in range(40) if t not in (10, 11, 20, 21, 22, 23)]
    assert list(begins(run(np.array(lost) / 10))) == [0, 18]


def test_a_chosen_gap():
    times = np.array([0, 1, 2, 5, 6, 7.0])
    assert list(begins(run(times, gap=4.0))) == [0]
    assert list(begins(run(times, gap=0.5))) == [0, 1, 2, 3, 4, 5]


def test_late_repeated_and_missing_stamps_are_dropped():
    out = run([0, 0.1, 0.1, 0.2, 0.15, 0.3, -START / SECOND])
    assert kept(out) == [0, 1, 3, 5]
    assert {picture.category for picture in out if picture.dropped} == {"stamp"}
    assert "--stamps bag" in out[-1].dropped


def test_a_clock_that_was_set_begins_a_drive():
    out = run([100, 100.1, 100.2, 3, 3.1, 3.2])
    assert kept(out) == list(range(6))
    assert begins(out)[3] == "stamps jump back by 97.2 s"


def test_one_wild_stamp_costs_one_picture_not_the_rest():
    out = run([0, 0.1, 0.2, 5000, 0.4, 0.5, 0.6])
    assert kept(out) == list(range(7))
    assert list(begins(out)) == [0, 3, 4]  # the wild one is alone in its drive, which is dropped as too short


def test_the_start_of_a_drive_is_not_lost_with_a_dropped_picture():
    timeline = Timeline(RecordConfig(rate=5.0), 0.1 * SECOND)
    times = [0, 0.1, 0.2, 0.3, 0.4, 3.0, 3.07, 3.1, 3.2]
    out = [p for n, t in enumerate(times) for p in timeline.add(TimedImage(n, START + round(t * SECOND), None))]
    out += timeline.finish()
    assert list(begins(out)) == [0, 5]
    assert kept(out) == [0, 2, 4, 5, 8]


@pytest.mark.parametrize(("source", "rate"), [(30, 10), (10, 5), (25, 10), (10, 4)])
def test_an_even_rate(source, rate):
    times = np.arange(20 * source) / source + np.random.default_rng(1).uniform(-0.1, 0.1, 20 * source) / source
    out = run(times, usual=1 / source, rate=float(rate), rate_tolerance=0.5)
    chosen = times[kept(out)]
    assert list(begins(out)) == [0]
    assert abs(len(chosen) - 20 * rate) <= 1
    steps = (chosen - times[0]) * rate
    assert np.abs(steps - np.round(steps)).max() < 0.5
    assert np.diff(np.round(steps)).min() == np.diff(np.round(steps)).max() == 1
    for step in np.round(steps):  # no other picture would have been nearer
        assert np.abs(steps - step).min() <= np.abs((times - times[0]) * rate - step).min() + 1e-6


def test_a_step_without_a_picture_begins_a_drive():
    times = [t / 10 for t in range(40) if t not in (14, 15, 16)]
    out = run(times, rate=5.0, rate_tolerance=0.2)
    assert begins(out)[min(number for number in begins(out) if number)].startswith(("no picture within", "gap"))
    assert len(begins(out)) == 2


def test_a_rate_above_the_cameras_takes_everything():
    out = run(np.arange(30) / 10, rate=30.0)
    assert kept(out) == list(range(30))
    assert list(begins(out)) == [0]
