"""Latitude and longitude to metres and back, by the Mercator projection that KITTI's readers use (fact sheet C.3)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from depth_node.data.calibration import Matrix

EARTH_RADIUS = 6_378_137.0
"""Metres, as KITTI's tools have it."""
LEAST_TRACK = 5.0
"""A track shorter than this (m) does not tell its direction: fixes are only good to metres."""


@dataclass(frozen=True)
class Mercator:
    """Metres east and north, true to scale at one latitude (degrees)."""

    latitude: float

    @property
    def _scale(self) -> float:
        return float(np.cos(np.radians(self.latitude))) * EARTH_RADIUS

    def metres(self, latitude: ArrayLike, longitude: ArrayLike) -> Matrix:
        """(..., 2) metres east and north of degrees."""
        east = np.radians(np.asarray(longitude, np.float64))
        north = np.log(np.tan(np.pi / 4 + np.radians(np.asarray(latitude, np.float64)) / 2))
        return np.asarray(self._scale * np.stack([east, north], axis=-1), np.float64)

    def degrees(self, east: float, north: float) -> tuple[float, float]:
        """Latitude and longitude of metres."""
        latitude = 2 * np.arctan(np.exp(north / self._scale)) - np.pi / 2
        return float(np.degrees(latitude)), float(np.degrees(east / self._scale))


@dataclass(frozen=True)
class Placement:
    """How odometry's own world lies on the map: turned by `yaw` (rad) about z, then moved by `shift` (3,) metres.

    Attributes:
        yaw: of odometry's x axis against east.
        shift: metres east, north, up.
        error: root mean square distance of the fixes from the placed track, m; NaN without fixes.
    """

    yaw: float
    shift: Matrix
    error: float

    @property
    def rotation(self) -> Matrix:
        """(3, 3) odometry's axes to east, north, up."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])

    def apply(self, position: Matrix) -> Matrix:
        """(3,) metres east, north, up of a position in odometry's world."""
        return np.asarray(self.rotation @ position + self.shift, np.float64)


UNPLACED = Placement(0.0, np.zeros(3), float("nan"))


def place_track(positions: Matrix, fixes: Matrix) -> Placement:
    """Lay a track over fixes by least squares (Kabsch in the plane; heights by their mean difference).

    Args:
        positions: (N, 3) of odometry at the fixes' moments, metres.
        fixes: (N, 3) east, north, up, metres.
    """
    center, target = positions.mean(axis=0), fixes.mean(axis=0)
    a, b = (positions - center)[:, :2], (fixes - target)[:, :2]
    yaw = 0.0
    if np.linalg.norm(a, axis=1).max() * 2 >= LEAST_TRACK:
        yaw = float(np.arctan2((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum(), (a * b).sum()))
    turned = Placement(yaw, np.zeros(3), 0.0)
    shift = target - turned.apply(center)
    placed = np.array([turned.apply(position) + shift for position in positions])
    error = float(np.sqrt(((placed - fixes)[:, :2] ** 2).sum(axis=1).mean()))
    return Placement(yaw, shift, error)
