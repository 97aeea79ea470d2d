# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One filter for all sources of scale: which to believe, and how fast to follow.

Everything is a logarithm, as an error of scale is a factor. The best source that is fresh leads: the filter follows its
value at a bounded rate, so that nothing downstream sees a jump, not even where a worse source takes over. Two moments
are different: the first measured value is taken at once, since before it there was only a guess; and where every source
has gone silent the last measured value stays, as that is still what is best known of this camera.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from depth_node.scale.depth_frame import NoReading, Reading
from depth_node.scale.source_track import SourceTrack

FASTEST = 0.1
"""Largest change of the scale's logarithm per second: a tenth."""


@dataclass(frozen=True)
class ScaleState:
    """The scale in use and how far to trust it.

    Attributes:
        scale: metres per unit of the predicted depth.
        source: name of the source that leads; the fallback's where nothing was ever measured.
        is_measured: whether it was measured at run time.
        spread: relative standard deviation of the leading source's readings; NaN without any.
        age: seconds since its last reading; 0 for a fallback.
        is_held: whether it has gone silent and its last value is held.
        reasons: why sources that are asked for say nothing now, one line each by name.
        troubles: those of them that are as they should not be and have silenced the source.
    """

    scale: float
    source: str
    is_measured: bool = False
    spread: float = math.nan
    age: float = 0.0
    is_held: bool = False
    reasons: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)


class ScaleFilter:
    """Readings in, scale out; not thread-safe."""

    def __init__(self, sources: Sequence[str], fallback: float, fallback_name: str) -> None:
        """Start with a guess.

        Args:
            sources: names of the sources that may be believed, best first.
            fallback: scale until something is measured.
            fallback_name: where that comes from.
        """
        self.tracks = {source: SourceTrack() for source in sources}
        self._fallback, self._fallback_name = fallback, fallback_name
        self._value: float | None = None
        self._leader = ""
        self._time = -math.inf

    def add(self, source: str, reading: Reading | NoReading, now: float) -> None:
        """Take what a source says, or why it says nothing."""
        track = self.tracks[source]
        if isinstance(reading, Reading):
            track.add(reading, now)
        elif reading.is_waiting:
            track.wait(str(reading), now)
        else:
            track.miss(str(reading))

    def set_fallback(self, scale: float, name: str) -> None:
        """Change the guess that holds until something is measured."""
        self._fallback, self._fallback_name = scale, name

    def update(self, now: float) -> ScaleState:
        """The scale at a moment; to be called often, as it moves a little each time."""
        fresh = [name for name, track in self.tracks.items() if track.is_fresh(now)]
        passed, self._time = max(now - self._time, 0.0), now
        if fresh:
            self._leader = fresh[0]
            wanted = self.tracks[self._leader].estimate().log_scale
            if self._value is None:
                self._value = wanted
            else:
                step = FASTEST * passed
                self._value += min(max(wanted - self._value, -step), step)
        reasons = {name: track.reason for name, track in self.tracks.items() if track.reason}
        troubles = {n: r for n, r in reasons.items() if n not in fresh and not self.tracks[n].is_waiting}
        if self._value is None:
            return ScaleState(self._fallback, self._fallback_name, reasons=reasons, troubles=troubles)
        leader = self.tracks[self._leader]
        return ScaleState(
            math.exp(self._value),
            self._leader,
            True,
            leader.estimate().spread,
            leader.age(now),
            not fresh,
            reasons,
            troubles,
        )
