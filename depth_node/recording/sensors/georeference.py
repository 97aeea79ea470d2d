# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How odometry's own world lies on the map: a track laid over GNSS fixes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from depth_node.camera.calibration import Matrix

LEAST_TRACK = 5.0
"""A track shorter than this (m) does not tell its direction: fixes are only good to metres."""


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
