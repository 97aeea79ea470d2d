# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Counts and times of the live node's frames, as reported on /diagnostics."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np

WINDOW = 10.0
"""Seconds over which rate and latency are taken."""
SILENCE, PERIODS = 1.0, 3.0
"""A camera is silent after so many seconds, or so many of its own periods where these are longer."""
REMEMBERED_ARRIVALS = 32


@dataclass(frozen=True)
class Snapshot:
    """State of the counters at one moment.

    Attributes:
        received: images that arrived.
        published: images that led to an output.
        dropped: number of images by reason.
        rate: published per second over the last `WINDOW` seconds, up to now.
        age: seconds since the last image arrived, infinite before the first.
        period: seconds between images that arrive, the median of the last ones; 0 before the second.
        latency: 50th, 95th and 99th percentile from arrival to the last publish, seconds; empty without frames.
        stages: mean seconds per stage of the last frames.
    """

    received: int
    published: int
    dropped: dict[str, int]
    rate: float
    latency: tuple[float, ...]
    age: float = math.inf
    period: float = 0.0
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def is_silent(self) -> bool:
        """Whether images came and come no more."""
        return math.isfinite(self.age) and self.age > max(SILENCE, PERIODS * self.period)


class FrameStatistics:
    """Thread-safe counters; the callback thread and the worker both write."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received = 0
        self._arrivals: deque[float] = deque(maxlen=REMEMBERED_ARRIVALS)
        self._published = 0
        self._dropped: Counter[str] = Counter()
        self._frames: deque[tuple[float, float, dict[str, float]]] = deque(maxlen=2000)

    def add_received(self) -> None:
        """An image arrived."""
        with self._lock:
            self._received += 1
            self._arrivals.append(time.monotonic())

    def add_dropped(self, reason: str) -> None:
        """An image will not lead to an output."""
        with self._lock:
            self._dropped[reason] += 1

    def add_published(self, latency: float, stages: dict[str, float]) -> None:
        """All outputs of an image are out.

        Args:
            latency: arrival to last publish, seconds.
            stages: seconds per stage.
        """
        with self._lock:
            self._published += 1
            self._frames.append((time.monotonic(), latency, stages))

    def snapshot(self) -> Snapshot:
        """The counters now."""
        with self._lock:
            now = time.monotonic()
            recent = [frame for frame in self._frames if frame[0] > now - WINDOW]
            all_recent = len(recent) == len(self._frames)
            arrivals = list(self._arrivals)
            received, published, dropped = self._received, self._published, dict(self._dropped)
        latency = np.percentile([frame[1] for frame in recent], (50, 95, 99)) if recent else ()
        return Snapshot(
            received,
            published,
            dropped,
            _rate([frame[0] for frame in recent], now, all_recent),
            tuple(map(float, latency)),
            now - arrivals[-1] if arrivals else math.inf,
            float(np.median(np.diff(arrivals))) if len(arrivals) > 1 else 0.0,
            _mean(recent),
        )


def _rate(times: list[float], now: float, all_recent: bool) -> float:
    """Frames per second until now; a window that is not full yet begins with its first frame."""
    if not all_recent:
        return len(times) / WINDOW
    return (len(times) - 1) / (now - times[0]) if len(times) > 1 and now > times[0] else 0.0


def _mean(frames: list[tuple[float, float, dict[str, float]]]) -> dict[str, float]:
    names = dict.fromkeys(name for frame in frames for name in frame[2])
    return {name: float(np.mean([frame[2].get(name, 0.0) for frame in frames])) for name in names}
