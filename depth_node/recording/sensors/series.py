# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of numbers over time, kept compactly: an hour of odometry takes some megabytes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Row = NDArray[np.float64]
SECOND = 1e9


class Around(NamedTuple):
    """Rows before and after a moment, and how far (0 to 1) the moment lies from the first to the second."""

    before: Row
    after: Row
    share: float
    seconds: float

    @property
    def mean(self) -> Row:
        """All numbers interpolated; meaningless for angles and quaternions."""
        return self.before + self.share * (self.after - self.before)


class Series:
    """Rows of numbers by stamp; they may be added in any order, of equal stamps the first one counts."""

    def __init__(self, columns: int) -> None:
        """An empty series of rows with `columns` numbers."""
        self._columns = columns
        self._stamps, self._values = array("q"), array("d")
        self._sorted: tuple[NDArray[np.int64], Row] | None = None

    def __len__(self) -> int:
        """The number of rows added."""
        return len(self._stamps)

    def add(self, stamp_ns: int, values: Iterable[float]) -> None:
        """Append a row; one with a number that is not finite is left out."""
        row = array("d", values)
        if np.isfinite(row).all():
            self._stamps.append(stamp_ns)
            self._values.extend(row)
            self._sorted = None

    @property
    def stamps_ns(self) -> NDArray[np.int64]:
        """(N,) all stamps, ascending, each once."""
        return self._in_order()[0]

    @property
    def rows(self) -> Row:
        """(N, columns) rows in order of their stamps."""
        return self._in_order()[1]

    def around(self, stamp_ns: int, tolerance: float) -> Around | None:
        """The rows on both sides of a moment, for interpolation; at the ends the two outermost, to go on straight.

        Returns:
            None where the nearest row is farther off than `tolerance` s, or the two are farther apart than twice that.
        """
        stamps, rows = self._in_order()
        if not len(stamps):
            return None
        limit = tolerance * SECOND
        after = int(np.searchsorted(stamps, stamp_ns))
        hit = after < len(stamps) and int(stamps[after]) == stamp_ns
        for first in (after - 1, after) if hit else (min(max(after - 1, 0), len(stamps) - 2),):
            if not 0 <= first < len(stamps) - 1:
                continue
            start, end = int(stamps[first]), int(stamps[first + 1])
            if min(abs(stamp_ns - start), abs(end - stamp_ns)) <= limit and end - start <= 2 * limit:
                share = (stamp_ns - start) / (end - start)
                return Around(rows[first], rows[first + 1], share, (end - start) / SECOND)
        return Around(rows[after], rows[after], 0.0, 0.0) if hit else None

    def _in_order(self) -> tuple[NDArray[np.int64], Row]:
        if self._sorted is None:
            stamps, first = np.unique(np.array(self._stamps, np.int64), return_index=True)
            rows = np.array(self._values, np.float64).reshape(-1, self._columns)
            self._sorted = stamps, rows[first]
        return self._sorted
