# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A spinning 64-line lidar: ranges with noise, intensities from albedo and angle, all points of one turn at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depth_node.simulation.raycast import World
from depth_node.simulation.shading import Painter

LINES = 64
TOP, BOTTOM = 2.0, -24.8  # elevation of the first and last line, degrees
NEAREST, FARTHEST = 1.0, 100.0
SPOT = 0.03  # width of the laser spot, m
POINT = np.dtype(
    {
        "names": ["x", "y", "z", "intensity", "ring", "time"],
        "formats": ["<f4", "<f4", "<f4", "<f4", "<u2", "<f4"],
        "offsets": [0, 4, 8, 12, 16, 20],
        "itemsize": 24,
    }
)


class Lidar:
    """Measures a street; scans are instantaneous, so that they belong to exactly one camera frame."""

    def __init__(self, columns: int, noise: float, world: World, painter: Painter) -> None:
        """`columns` points per line and turn, `noise` standard deviation of the range in m."""
        azimuth = np.pi - 2 * np.pi * np.arange(columns) / columns
        elevation = np.radians(np.linspace(TOP, BOTTOM, LINES))
        across, up = np.meshgrid(azimuth, elevation)
        rays = np.stack([np.cos(up) * np.cos(across), np.cos(up) * np.sin(across), np.sin(up)], axis=-1)
        self._rays = rays.reshape(-1, 3)
        self._rings = np.repeat(np.arange(LINES, dtype=np.uint16), columns)
        self._noise, self._world, self._painter = noise, world, painter

    def scan(self, T_world_lidar: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.void]:
        """One turn from a pose (4, 4): points of type `POINT` in the lidar frame in m, intensity 0..1."""
        directions = (self._rays @ T_world_lidar[:3, :3].T).astype(np.float32)
        origin = T_world_lidar[:3, 3].astype(np.float32)
        hits = self._world.cast(np.broadcast_to(origin, directions.shape).astype(np.float32), directions)
        noise = rng.normal(0.0, self._noise, len(directions)) if self._noise > 0 else np.zeros(len(directions))
        kept = np.flatnonzero((hits.way > NEAREST) & (hits.way < FARTHEST))
        seen, beam = hits.rows(kept), directions[kept]
        surface = self._painter.surface(seen, origin, beam, SPOT)
        facing = -np.einsum("nc,nc->n", surface.normals, beam)
        echo = surface.albedo.mean(axis=1) * (0.25 + 0.75 * facing) + 0.6 * surface.gloss * facing**8
        points = np.zeros(len(kept), POINT)
        ranges = seen.way.astype(np.float64) + noise[kept]
        for axis, name in enumerate("xyz"):
            points[name] = self._rays[kept, axis] * ranges
        points["intensity"] = np.clip(echo, 0.0, 1.0)
        points["ring"] = self._rings[kept]
        return points
