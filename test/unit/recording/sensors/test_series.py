# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rows over time: any order in, interpolation out, no reaching over gaps."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.recording.sensors.series import Series

MS = 1_000_000


@pytest.fixture
def series():
    """y = 10 t, a row every 100 ms and a gap from 0.3 to 2 s."""
    series = Series(1)
    for ms in (200, 0, 100, 300, 2000, 2100, 100):
        series.add(ms * MS, [ms / 100 if ms != 100 or len(series) < 5 else 99])
    return series


@pytest.mark.parametrize(
    ("ms", "value"), [(0, 0), (50, 0.5), (100, 1), (299, 2.99), (300, 3), (2000, 20), (2150, 21.5)]
)
def test_between_rows_and_a_little_beyond(series, ms, value):
    assert series.around(ms * MS, 0.1).mean == pytest.approx(value)


@pytest.mark.parametrize("ms", [1000, 350, -150, 2300])
def test_nothing_in_gaps_and_far_outside(series, ms):
    assert series.around(ms * MS, 0.1) is None


def test_of_equal_stamps_the_first_counts_and_broken_rows_do_not(series):
    assert len(series.stamps_ns) == 6
    series.add(50 * MS, [np.nan])
    assert len(series.stamps_ns) == 6


def test_one_row_counts_for_its_own_moment_only():
    series = Series(2)
    assert series.around(5, 1.0) is None
    series.add(5, [1, 2])
    np.testing.assert_array_equal(series.around(5, 1.0).mean, [1, 2])
    assert series.around(6, 1.0) is None
