# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from depth_node.ros.live.frame_statistics import FrameStatistics


def test_counts_rate_and_percentiles(monkeypatch):
    clock = iter([0.0, 0.1, 0.2, 0.3, 0.35])
    monkeypatch.setattr("depth_node.ros.live.frame_statistics.time.monotonic", lambda: next(clock))
    statistics = FrameStatistics()
    for latency in (0.010, 0.020, 0.030, 0.100):
        statistics.add_received()
        statistics.add_published(latency, {"depth": latency / 2})
    statistics.add_received()
    statistics.add_dropped("too old")
    now = statistics.snapshot()
    assert (now.received, now.published, now.dropped) == (5, 4, {"too old": 1})
    assert now.rate == pytest.approx(10.0)
    assert now.latency[0] == pytest.approx(0.025)
    assert 0.030 < now.latency[1] < now.latency[2] <= 0.100
    assert now.stages == {"depth": pytest.approx(0.02)}


def test_old_frames_leave_the_window(monkeypatch):
    clock = iter([0.0, 0.1, 100.0])
    monkeypatch.setattr("depth_node.ros.live.frame_statistics.time.monotonic", lambda: next(clock))
    statistics = FrameStatistics()
    statistics.add_published(0.01, {})
    statistics.add_published(0.01, {})
    now = statistics.snapshot()
    assert (now.published, now.rate, now.latency) == (2, 0.0, ())
