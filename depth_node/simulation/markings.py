# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Road markings as exact box-filtered coverage: sharp near, grey far, never flickering."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depth_node.simulation.street import Profile

Floats = NDArray[np.float32]
LINE = 0.06  # half width of a painted line, m
DASH, PERIOD = 3.0, 9.0


def marking_coverage(profile: Profile, s: Floats, d: Floats, ds: Floats, dd: Floats) -> Floats:
    """Share of paint in each sample's footprint.

    Args:
        profile: cross-section of the street.
        s: (N,) street coordinate along the road in m; `d` likewise to its left.
        d: see `s`.
        ds: (N,) footprint along s in m; `dd` likewise along d.
        dd: see `ds`.

    Returns:
        (N,) coverage in 0..1.
    """
    dashes = _periodic(s, ds, DASH, PERIOD)
    paint = np.zeros_like(s)
    for side in (-1.0, 1.0):
        paint += _pulse(d, dd, side * profile.driving, LINE)
        for lane in range(1, profile.lanes):
            paint += dashes * _pulse(d, dd, side * lane * profile.lane_width, LINE)
    if profile.lanes == 1:
        paint += dashes * _pulse(d, dd, 0.0, LINE)
    else:
        paint += _pulse(d, dd, 0.13, LINE) + _pulse(d, dd, -0.13, LINE)
    stripes = _periodic(d + np.float32(100.0), dd, 0.5, 1.0) * _pulse(d, dd, 0.0, profile.kerb - 0.3)
    low, high = (float(np.min(s)) - 5, float(np.max(s)) + 5) if len(s) else (0.0, 0.0)
    for crossing in profile.crossings:
        if low < crossing < high:
            zebra = _pulse(s, ds, crossing, 1.75)
            paint = paint * (1 - zebra) + zebra * stripes
            for side in (-1.0, 1.0):
                half = profile.driving / 2
                paint += _pulse(s, ds, crossing + side * 3.0, 0.2) * _pulse(d, dd, side * half, half - 0.2)
    return np.clip(paint, 0, 1)


def _pulse(x: Floats, width: Floats, center: float, half: float) -> Floats:
    """Share of [x - width/2, x + width/2] that lies within `half` of `center`."""
    overlap = np.minimum(x + width / 2, center + half) - np.maximum(x - width / 2, center - half)
    return np.clip(overlap / width, 0, 1)


def _periodic(x: Floats, width: Floats, on: float, period: float) -> Floats:
    """Share of the footprint that lies within the first `on` metres of each period."""

    def painted(y: Floats) -> Floats:
        turns = np.floor(y / period)
        return np.asarray(turns * on + np.minimum(y - turns * period, on), np.float32)

    half = np.asarray(width / 2, np.float32)
    share = painted(x + half) - painted(x - half)
    return np.clip(share / width, 0, 1)
