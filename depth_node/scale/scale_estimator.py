# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the sources when they are due, filters what they say, and tells the scale of the moment."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping

from depth_node.scale.depth_frame import DepthFrame, NoReading, Reading
from depth_node.scale.scale_filter import ScaleFilter, ScaleState
from depth_node.scale.sources import BACKWARDS_NS, Source

FRAME_PERIOD = 0.1
"""Seconds between two pictures that are kept: a faster camera shows nothing more."""
FRAMES = 20
PERIOD, IDLE_PERIOD = 0.2, 1.0
"""Seconds between two readings of a source: of one that leads or might, and of one that only stands by."""


class ScaleEstimator:
    """Pictures in, scale out. `observe` belongs to one thread, `state` to any."""

    def __init__(self, sources: Mapping[str, Source], fallback: float, fallback_name: str) -> None:
        """Prepare.

        Args:
            sources: by name, best first.
            fallback: scale until something is measured, metres per unit.
            fallback_name: where that comes from.
        """
        self.sources = dict(sources)
        self._filter = ScaleFilter(list(sources), fallback, fallback_name)
        self._lock = threading.Lock()
        self._frames: deque[DepthFrame] = deque(maxlen=FRAMES)
        self._due = dict.fromkeys(self.sources, 0.0)
        self._state = ScaleState(fallback, fallback_name)

    @property
    def scale(self) -> float:
        """The scale in use, metres per unit."""
        return self._state.scale

    def wants(self, stamp_ns: int) -> bool:
        """Whether a picture of a moment would be kept."""
        if not self.sources:
            return False
        newest = self._frames[-1].stamp_ns if self._frames else None
        return newest is None or not 0 <= stamp_ns - newest < FRAME_PERIOD * 1e9

    def observe(self, frame: DepthFrame, now: float) -> None:
        """Keep a picture and read the sources that are due.

        Args:
            frame: the prediction.
            now: seconds of a clock that never goes back.
        """
        if self._frames and frame.stamp_ns < self._frames[-1].stamp_ns - BACKWARDS_NS:
            self.restart()
        if self._frames and frame.size != self._frames[-1].size:
            self._frames.clear()
        self._frames.append(frame)
        frames, stands_by = list(self._frames), False
        for name, source in self.sources.items():
            if now >= self._due[name]:
                self._due[name] = now + (IDLE_PERIOD if stands_by else PERIOD) - 1e-3
                reading = _read(source, frames)
                with self._lock:
                    self._filter.add(name, reading, now)
            with self._lock:
                stands_by = stands_by or self._filter.tracks[name].is_fresh(now)

    def restart(self) -> None:
        """Forget pictures and measurements, not the scale: time has gone back, as when a bag is played again."""
        self._frames.clear()
        for source in self.sources.values():
            source.forget()

    def state(self, now: float) -> ScaleState:
        """The scale at a moment and how far to trust it; call it for every picture."""
        with self._lock:
            self._state = self._filter.update(now)
            return self._state

    def set_fallback(self, scale: float, name: str) -> None:
        """Change the guess."""
        with self._lock:
            self._filter.set_fallback(scale, name)


def _read(source: Source, frames: list[DepthFrame]) -> Reading | NoReading:
    try:
        return source.read(frames)
    except NoReading as nothing:
        return nothing
