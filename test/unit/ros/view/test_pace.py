# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which frames are shown, without ROS and without a browser."""

from __future__ import annotations

import itertools

from depth_node.ros.view.pace import KEPT, Pace


def shown(pace, *messages):
    return [pace.number(stamp, now) for stamp, now in messages]


def test_a_frame_is_shown_whole_or_not_at_all():
    pace = Pace(2.0, itertools.count(1).__next__)
    assert shown(pace, (10, 0.0), (10, 0.1), (20, 0.2), (10, 0.3), (20, 0.6), (30, 0.6), (20, 0.7), (30, 0.7)) == [
        *(1, 1, None, 1),  # 20 comes too early, and is left out with all that belongs to it
        *(None, 2, None, 2),
    ]


def test_stamps_may_run_back():
    pace = Pace(10.0, itertools.count(1).__next__)
    assert shown(pace, (100, 0.0), (5, 1.0), (6, 2.0)) == [1, 2, 3]  # a bag that starts over


def test_little_is_remembered():
    pace = Pace(100.0, itertools.count(1).__next__)
    for stamp in range(10 * KEPT):
        pace.number(stamp, float(stamp))
    assert len(pace._numbers) == KEPT
    assert pace.number(10 * KEPT - 1, 1e6) == 10 * KEPT
