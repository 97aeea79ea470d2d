# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Latitude and longitude to metres and back, by KITTI's Mercator projection (docs/papers.md, Evaluation)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

EARTH_RADIUS = 6_378_137.0
"""Metres, as KITTI's tools have it."""


@dataclass(frozen=True)
class Mercator:
    """Metres east and north, true to scale at one latitude (degrees)."""

    latitude: float

    @property
    def _scale(self) -> float:
        return float(np.cos(np.radians(self.latitude))) * EARTH_RADIUS

    def metres(self, latitude: ArrayLike, longitude: ArrayLike) -> NDArray[np.float64]:
        """(..., 2) metres east and north of degrees."""
        east = np.radians(np.asarray(longitude, np.float64))
        north = np.log(np.tan(np.pi / 4 + np.radians(np.asarray(latitude, np.float64)) / 2))
        return np.asarray(self._scale * np.stack([east, north], axis=-1), np.float64)

    def degrees(self, east: float, north: float) -> tuple[float, float]:
        """Latitude and longitude of metres."""
        latitude = 2 * np.arctan(np.exp(north / self._scale)) - np.pi / 2
        return float(np.degrees(latitude)), float(np.degrees(east / self._scale))
