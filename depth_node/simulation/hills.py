# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Hills under a street: a wave along the world's x axis that lifts everything, so that the road's slope changes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_node.config.street import StreetConfig
from depth_node.simulation.mesh import Mesh

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Hills:
    """Height h(x) of the ground, 0 at the origin.

    Attributes:
        slope: largest grade, metres up per metre ahead; 0 is level ground.
        wavelength: of the hills, m.
        phase: of the wave at the origin, rad.
    """

    slope: float
    wavelength: float
    phase: float

    @property
    def amplitude(self) -> float:
        """Half the height from a valley to a crest, m."""
        return self.slope * self.wavelength / (2 * np.pi)

    def height(self, x: ArrayLike) -> Array:
        """Height (...) at x (...), both m."""
        wave = np.sin(2 * np.pi * np.asarray(x, np.float64) / self.wavelength + self.phase)
        return self.amplitude * (wave - np.sin(self.phase))

    def grade(self, x: ArrayLike) -> Array:
        """Metres up per metre along x, (...)."""
        return self.slope * np.cos(2 * np.pi * np.asarray(x, np.float64) / self.wavelength + self.phase)

    def lifted(self, mesh: Mesh) -> Mesh:
        """The mesh with every corner raised by the ground's height below it."""
        if self.slope == 0:
            return mesh
        corners, normals = mesh.corners.copy(), mesh.normals.copy()
        corners[..., 2] += self.height(corners[..., 0]).astype(np.float32)
        normals[..., 0] -= self.grade(mesh.corners[..., 0]).astype(np.float32) * normals[..., 2]
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-12)
        return replace(mesh, corners=corners, normals=normals)

    def standing(self, x: float, heading: float) -> Array:
        """Rotation (3, 3), body to world, of a body that stands on the ground at x and looks along a heading in rad."""
        grade, c, s = float(self.grade(x)), np.cos(heading), np.sin(heading)
        ahead = np.array([c, s, grade * c])
        up = np.array([-grade, 0.0, 1.0])
        ahead, up = ahead / np.linalg.norm(ahead), up / np.linalg.norm(up)
        return np.stack([ahead, np.cross(up, ahead), up], axis=1)


def draw_hills(config: StreetConfig) -> Hills:
    """The hills of a street; their draws are their own, so that level streets stay what they were."""
    rng = np.random.default_rng([config.seed, 14])
    return Hills(config.slope, config.slope_length * rng.uniform(0.8, 1.25), rng.uniform(0, 2 * np.pi))
