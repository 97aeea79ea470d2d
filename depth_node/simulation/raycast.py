# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ray casting against the street: Embree finds the triangle, tables tell what it is.

What stands still has one scene for the whole drive; what moves gets a small new scene per frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from embreex.mesh_construction import TriangleMesh
from embreex.rtcore_scene import EmbreeScene
from numpy.typing import NDArray

from depth_node.simulation.mesh import Mesh

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Hits:
    """Where N rays end.

    Attributes:
        way: (N,) ray parameter, in lengths of the ray's direction; inf where nothing is hit.
        triangle: (N,) row in the surface table, -1 where nothing is hit.
        b1: (N,) barycentric weight of the triangle's second corner.
        b2: (N,) weight of its third corner.
    """

    way: Floats
    triangle: NDArray[np.int64]
    b1: Floats
    b2: Floats

    def rows(self, index: NDArray[np.intp]) -> Hits:
        """Only the rays `index`."""
        return Hits(self.way[index], self.triangle[index], self.b1[index], self.b2[index])


class SurfaceTable:
    """Per triangle what shading needs, as one array per quantity (rows are triangles).

    `grad_u` and `grad_v` (T, 3) are the texture coordinates' gradients in space, `flat` (T, 3) the geometric
    normal, `group` (T,) tells surfaces of different material apart.
    """

    def __init__(self, mesh: Mesh) -> None:
        edge1, edge2 = mesh.corners[:, 1] - mesh.corners[:, 0], mesh.corners[:, 2] - mesh.corners[:, 0]
        normal = np.cross(edge1.astype(np.float64), edge2.astype(np.float64))
        square = np.maximum((normal**2).sum(axis=1, keepdims=True), 1e-18)
        duv1, duv2 = mesh.uv[:, 1] - mesh.uv[:, 0], mesh.uv[:, 2] - mesh.uv[:, 0]
        across1, across2 = np.cross(edge2, normal) / square, np.cross(normal, edge1) / square
        self.normals, self.uv, self.color = mesh.normals, mesh.uv, mesh.color
        self.grad_u = (duv1[:, :1] * across1 + duv2[:, :1] * across2).astype(np.float32)
        self.grad_v = (duv1[:, 1:] * across1 + duv2[:, 1:] * across2).astype(np.float32)
        self.flat = (normal / np.sqrt(square)).astype(np.float32)
        self.tile, self.label, self.gloss = mesh.tile, mesh.label, mesh.gloss
        self.group = (mesh.tile * 31 + mesh.color @ np.array([977.0, 331.0, 113.0])).astype(np.float32)


class World:
    """The still part of the street and, on top, what moves in one frame."""

    def __init__(self, still: Mesh) -> None:
        """Build the tables and the tree of the still part (a second or two)."""
        self._count = len(still)
        self._still_table = SurfaceTable(still)
        self._still = _scene(still)
        self._moving: EmbreeScene | None = None
        self._moving_table: SurfaceTable | None = None

    def set_moving(self, mesh: Mesh | None) -> None:
        """Replace what moves."""
        self._moving = _scene(mesh) if mesh is not None else None
        self._moving_table = SurfaceTable(mesh) if mesh is not None else None

    def cast(self, origins: Floats, directions: Floats) -> Hits:
        """First hits of N rays: (N, 3) origins in m and directions of any length."""
        hits = _cast(self._still, origins, directions)
        if self._moving is None:
            return hits
        moving = _cast(self._moving, origins, directions)
        nearer = moving.way < hits.way
        return Hits(
            np.where(nearer, moving.way, hits.way),
            np.where(nearer, moving.triangle + self._count, hits.triangle),
            np.where(nearer, moving.b1, hits.b1),
            np.where(nearer, moving.b2, hits.b2),
        )

    def blocked(self, origins: Floats, directions: Floats) -> NDArray[np.bool_]:
        """(N,) whether anything lies on the rays."""
        blocked = self._still.run(origins, directions, query="OCCLUDED") != -1
        if self._moving is not None:
            blocked |= self._moving.run(origins, directions, query="OCCLUDED") != -1
        return blocked

    def look_up(self, name: str, triangle: NDArray[np.int64]) -> NDArray[Any]:
        """Column `name` of the surface table at (N,) triangles that were hit."""
        still = getattr(self._still_table, name)
        if self._moving_table is None:
            return still[triangle]
        found = still[np.minimum(triangle, self._count - 1)]
        moves = np.flatnonzero(triangle >= self._count)
        found[moves] = getattr(self._moving_table, name)[triangle[moves] - self._count]
        return found


def _scene(mesh: Mesh) -> EmbreeScene:
    scene = EmbreeScene(robust=True)
    TriangleMesh(scene, np.ascontiguousarray(mesh.corners, np.float32))
    return scene


def _cast(scene: EmbreeScene, origins: Floats, directions: Floats) -> Hits:
    found = scene.run(origins, directions, output=1)
    missed = found["primID"] < 0
    way = np.where(missed, np.float32(np.inf), found["tfar"])
    return Hits(way, found["primID"].astype(np.int64), found["u"], found["v"])
