# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures in order of time: stamps checked, evened out to a rate, cut at gaps.

A triplet of neighbouring frames must never cross a gap, so a gap starts a new drive. Stamps that go back a little are
late pictures and dropped; stamps that go back far are a clock that was set, and start a new drive as well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from depth_node.bags.inspection import GAP_INTERVALS
from depth_node.config.record import RecordConfig

SECOND = 1_000_000_000
LEAST_GAP_NS = 350_000_000
INTERVALS = 25
"""How many distances of pictures say what is usual."""
JUMP_NS = SECOND
"""Stamps that go back by more are a clock that was set."""


@dataclass(frozen=True)
class TimedImage:
    """A picture of the bag on its way.

    Attributes:
        number: on the image topic, from 0.
        stamp_ns: its time.
        image: whatever carries the pixels.
        begins: why a new drive begins with it, or empty.
        camera: index of its calibration.
        limit_ns: the longest distance to the frame before that is no gap.
        dropped: why it is left out, or empty.
        category: of the reason, see `selection.REASONS`.
    """

    number: int
    stamp_ns: int
    image: Any
    begins: str = ""
    camera: int = 0
    limit_ns: int = LEAST_GAP_NS
    dropped: str = ""
    category: str = ""

    def without_pixels(self) -> TimedImage:
        """The same for the record: outcomes are kept until the bag ends, its pictures must not be."""
        return replace(self, image=None)

    def starting(self, begins: str) -> TimedImage:
        """The same picture as the first one of a new drive."""
        return replace(self, begins=begins)


class Timeline:
    """Takes pictures in the bag's order and gives them back in order of time; one comes out for each that goes in."""

    def __init__(self, config: RecordConfig, usual_ns: float) -> None:
        """Start before the first picture.

        Args:
            config: gap, rate and tolerance.
            usual_ns: about how far pictures are apart, until enough of them were seen.
        """
        self._gap_ns = round(config.gap * SECOND)
        self._period_ns = SECOND / config.rate if config.rate else 0.0
        self._tolerance_ns = config.rate_tolerance * self._period_ns
        self._intervals: deque[float] = deque([usual_ns], maxlen=INTERVALS)
        self._latest: int | None = None
        self._begins = "start of the bag"
        self._origin_ns, self._step = 0, -1
        self._best: TimedImage | None = None

    def add(self, picture: TimedImage) -> Iterator[TimedImage]:
        """Take the next picture; gives back those that are decided, dropped ones included."""
        problem = self._order(picture.stamp_ns)
        if problem:
            yield replace(picture, dropped=problem, category="stamp")
            return
        self._begins = picture.begins or self._begins
        picture = replace(picture, begins=self._begins, limit_ns=self._limit_ns())
        if self._period_ns:
            yield from self._resample(picture)
        else:
            self._begins = ""
            yield picture

    def finish(self) -> Iterator[TimedImage]:
        """What is still undecided at the end."""
        if self._best is not None:
            yield self._best
            self._best = None

    def _order(self, stamp_ns: int) -> str:
        if stamp_ns <= 0:
            return "no stamp in its header: --stamps bag takes the time of recording"
        if self._latest is None:
            self._latest = stamp_ns
            return ""
        interval = stamp_ns - self._latest
        if interval == 0:
            return "same stamp as the frame before"
        if -JUMP_NS <= interval < 0:
            return "stamp before that of an earlier frame"
        if interval < 0:
            self._begins = f"stamps jump back by {-interval / SECOND:.3g} s"
        elif interval > self._limit_ns():
            self._begins = f"gap of {interval / SECOND:.3g} s"
        if interval > 0:
            self._intervals.append(interval)
        self._latest = stamp_ns
        return ""

    def _limit_ns(self) -> int:
        usual = median(self._intervals)
        if self._gap_ns:
            return max(self._gap_ns, 1)
        return max(LEAST_GAP_NS, round(GAP_INTERVALS * usual))

    def _resample(self, picture: TimedImage) -> Iterator[TimedImage]:
        """Keep the picture nearest to every step of an even grid that begins with a drive."""
        if picture.begins:
            yield from self.finish()
            self._origin_ns, self._step, self._begins = picture.stamp_ns, 0, ""
            self._best = self._even(picture)
            return
        step = round((picture.stamp_ns - self._origin_ns) / self._period_ns)
        if self._distance(picture, step) > self._tolerance_ns:
            yield self._between(picture)
        elif step == self._step and self._best is not None:
            later = self._distance(picture, step) < self._distance(self._best, step)
            yield self._between(self._best if later else picture)
            if later:
                self._best = replace(self._even(picture), begins=self._best.begins)
        else:
            yield from self.finish()
            missed = step - self._step > max(1, -(-median(self._intervals) // self._period_ns))
            begins = f"no picture within {self._tolerance_ns / SECOND:.3g} s of an even step" if missed else ""
            self._step, self._best = step, replace(self._even(picture), begins=begins)

    def _even(self, picture: TimedImage) -> TimedImage:
        return replace(picture, limit_ns=max(picture.limit_ns, round(1.5 * self._period_ns)))

    def _between(self, picture: TimedImage) -> TimedImage:
        return replace(picture, begins="", dropped="between two even steps", category="rate")

    def _distance(self, picture: TimedImage, step: int) -> float:
        return abs(picture.stamp_ns - self._origin_ns - step * self._period_ns)
