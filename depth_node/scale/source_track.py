# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What one source has said of late: its value without outliers, its spread, and whether it still speaks."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from depth_node.scale.depth_frame import Reading
from depth_node.scale.weighted_median import weighted_median

WINDOW = 5.0
"""Seconds of readings that say what an outlier is. A source that lies for one of them is outvoted."""
RECENT = 1.0
"""Seconds after which a reading counts 1 / e of the newest: networks change their unit from scene to scene."""
MOST = 100
"""Readings kept."""
SETTLED = 4
"""Readings before a source is believed."""
SILENT, PERIODS = 1.0, 4.0
"""A source is stale after so many seconds, or so many of its own periods where these are longer."""
GATE = 3.5
"""Spreads from the median beyond which a reading is an outlier."""
LEAST_GATE = 0.15
"""Least relative distance of an outlier: a network's unit does change by a tenth when a lorry fills the picture."""
MAD_TO_DEVIATION = 1.4826


@dataclass(frozen=True)
class Estimate:
    """What a source's latest readings amount to.

    Attributes:
        log_scale: median without outliers, the recent ones counting most.
        spread: standard deviation of the readings without outliers, relative; robust.
        readings: that it rests on.
        outliers: left out.
    """

    log_scale: float
    spread: float
    readings: int
    outliers: int


class SourceTrack:
    """The readings of one source; times are seconds of any clock that never goes back."""

    def __init__(self) -> None:
        """Nothing said yet."""
        self._readings: deque[tuple[float, float]] = deque(maxlen=MOST)
        self._alive = -math.inf
        self.reason, self.is_waiting = "nothing arrived yet", True

    def add(self, reading: Reading, now: float) -> None:
        """Take a reading."""
        if math.isfinite(reading.log_scale):
            self._readings.append((now, reading.log_scale))
            self._alive, self.reason, self.is_waiting = now, "", False
            while self._readings[0][0] < now - WINDOW:
                self._readings.popleft()

    def wait(self, reason: str, now: float) -> None:
        """Note that there is nothing to read now, and that what was said before holds: the vehicle stands still."""
        self.reason, self.is_waiting = reason, True
        if self._readings:
            self._alive = now

    def miss(self, reason: str) -> None:
        """Note why there is no reading."""
        self.reason, self.is_waiting = reason, False

    def age(self, now: float) -> float:
        """Seconds since the last reading; infinite before the first."""
        return now - self._readings[-1][0] if self._readings else math.inf

    def is_fresh(self, now: float) -> bool:
        """Whether there are readings enough, and the last one, or word that it holds, is young."""
        return len(self._readings) >= SETTLED and now - self._alive <= max(SILENT, PERIODS * self._period())

    def estimate(self) -> Estimate:
        """What the readings amount to; there must be one."""
        times, values = np.array(self._readings).T
        middle = float(np.median(values))
        deviation = MAD_TO_DEVIATION * float(np.median(np.abs(values - middle)))
        good = np.abs(values - middle) <= max(GATE * deviation, LEAST_GATE)
        kept, weights = values[good], np.exp((times[good] - times[-1]) / RECENT)
        value = weighted_median(kept, weights)
        spread = MAD_TO_DEVIATION * float(np.median(np.abs(kept - value)))
        return Estimate(value, spread, len(kept), len(values) - len(kept))

    def _period(self) -> float:
        times = [time for time, _ in self._readings]
        return float(np.median(np.diff(times))) if len(times) > 1 else 0.0
