# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from depth_node.ros.live.frame_statistics import FrameStatistics


class Clock:
    """A monotonic clock that stands still until it is told the time."""

    def __init__(self, monkeypatch):
        self.now = 0.0
        monkeypatch.setattr("depth_node.ros.live.frame_statistics.time.monotonic", lambda: self.now)


def frame_at(statistics, clock, now, latency=0.01, stages=()):
    clock.now = now
    statistics.add_received()
    statistics.add_published(latency, dict(stages))


def test_counts_rate_and_percentiles(monkeypatch):
    clock, statistics = Clock(monkeypatch), FrameStatistics()
    for number, latency in enumerate((0.010, 0.020, 0.030, 0.100)):
        frame_at(statistics, clock, number / 10, latency, [("depth", latency / 2)])
    statistics.add_received()
    statistics.add_dropped("too old")
    now = statistics.snapshot()
    assert (now.received, now.published, now.dropped) == (5, 4, {"too old": 1})
    assert now.rate == pytest.approx(10.0)
    assert now.latency[0] == pytest.approx(0.025)
    assert 0.030 < now.latency[1] < now.latency[2] <= 0.100
    assert now.stages == {"depth": pytest.approx(0.02)}


def test_old_frames_leave_the_window(monkeypatch):
    clock, statistics = Clock(monkeypatch), FrameStatistics()
    for now in (0.0, 0.1):
        frame_at(statistics, clock, now)
    clock.now = 100.0
    now = statistics.snapshot()
    assert (now.published, now.rate, now.latency) == (2, 0.0, ())


def test_the_rate_of_a_camera_that_died_falls_with_every_second(monkeypatch):
    """10 Hz for 20 s, then nothing: after 5 s half of the last 10 s were empty."""
    clock, statistics = Clock(monkeypatch), FrameStatistics()
    for number in range(200):
        frame_at(statistics, clock, number / 10)
    clock.now = 20.0
    assert statistics.snapshot().rate == pytest.approx(10.0, abs=0.11)
    clock.now = 25.0
    assert statistics.snapshot().rate == pytest.approx(5.0, abs=0.11)


def test_a_camera_is_silent_after_a_second_or_three_periods(monkeypatch):
    clock, statistics = Clock(monkeypatch), FrameStatistics()
    assert not statistics.snapshot().is_silent  # nothing came yet, which is said in other words
    for period in (0.1, 2.0):
        start = clock.now
        for number in range(100):
            frame_at(statistics, clock, start + number * period)
        last = clock.now
        for silence, silent in ((0.9, False), (1.1, period < 1), (5.9, period < 1), (6.1, True)):
            clock.now = last + silence
            now = statistics.snapshot()
            assert now.age == pytest.approx(silence)
            assert now.is_silent is silent
