# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Textured triangle meshes and the primitives that the street is built of.

A mesh is a triangle soup: corners in metres, texture coordinates in metres on the surface, and one surface
description per triangle. Texture detail thus has the same size on every object.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import trimesh
from numpy.typing import ArrayLike, NDArray

from depth_node.simulation.tiles import Tile

Floats = NDArray[np.float32]


# Corners of a unit cube's sides, each seen from outside: lower left, lower right, upper right, upper left.
_BOX_FACES = np.array(
    [
        [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)],
        [(1, 0, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1)],
        [(1, 1, 0), (0, 1, 0), (0, 1, 1), (1, 1, 1)],
        [(0, 1, 0), (0, 0, 0), (0, 0, 1), (0, 1, 1)],
        [(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)],
        [(0, 1, 0), (1, 1, 0), (1, 0, 0), (0, 0, 0)],
    ],
    np.float64,
)


@dataclass(frozen=True)
class Material:
    """What a surface is made of: linear RGB albedo (0..1), texture tile, Cityscapes train id, mirror share."""

    color: tuple[float, float, float]
    tile: Tile
    label: int
    gloss: float = 0.0


@dataclass(frozen=True)
class Mesh:
    """T textured triangles.

    Attributes:
        corners: (T, 3, 3) corner positions in m.
        normals: (T, 3, 3) unit normals at the corners.
        uv: (T, 3, 2) texture coordinates in m.
        color: (T, 3) linear RGB albedo.
        tile: (T,) texture tile.
        label: (T,) Cityscapes train id.
        gloss: (T,) share of mirrored sky.
    """

    corners: Floats
    normals: Floats
    uv: Floats
    color: Floats
    tile: NDArray[np.int16]
    label: NDArray[np.uint8]
    gloss: Floats

    def __len__(self) -> int:
        """Number of triangles."""
        return len(self.corners)

    def moved(self, rotation: ArrayLike, translation: ArrayLike) -> Mesh:
        """The mesh after p' = rotation p + translation (3x3 rotation, metres)."""
        turn = np.asarray(rotation, np.float64)
        corners = self.corners @ turn.T + np.asarray(translation, np.float64)
        normals = self.normals @ turn.T
        return replace(self, corners=corners.astype(np.float32), normals=normals.astype(np.float32))

    def placed(self, x: float, y: float, heading: float, z: float = 0.0) -> Mesh:
        """The mesh stood up at (x, y, z) in m, turned about z by `heading` in rad."""
        return self.moved(rotation_z(heading), (x, y, z))


def rotation_z(angle: float) -> NDArray[np.float64]:
    """Rotation about the vertical axis by `angle` in rad, 3x3."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def cross(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.floating]:
    """Row-wise vector product of (N, 3) arrays; numpy's own costs ten times as much on small ones."""
    product = np.empty(a.shape, np.result_type(a, b))
    product[:, 0] = a[:, 1] * b[:, 2] - a[:, 2] * b[:, 1]
    product[:, 1] = a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]
    product[:, 2] = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return product


def join(meshes: Sequence[Mesh]) -> Mesh:
    """One mesh of all the triangles, in order."""
    names = ("corners", "normals", "uv", "color", "tile", "label", "gloss")
    return Mesh(*(np.concatenate([getattr(mesh, name) for mesh in meshes]) for name in names))


def triangles(corners: ArrayLike, uv: ArrayLike, material: Material, normals: ArrayLike | None = None) -> Mesh:
    """Mesh from (T, 3, 3) corners and (T, 3, 2) coordinates; flat normals unless given (T, 3, 3)."""
    points = np.asarray(corners, np.float32).reshape(-1, 3, 3)
    count = len(points)
    if normals is None:
        flat = cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])
        flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
        normals = np.repeat(flat[:, None], 3, axis=1)
    return Mesh(
        points,
        np.asarray(normals, np.float32).reshape(-1, 3, 3),
        np.asarray(uv, np.float32).reshape(-1, 3, 2),
        np.tile(np.asarray(material.color, np.float32), (count, 1)),
        np.full(count, material.tile, np.int16),
        np.full(count, material.label, np.uint8),
        np.full(count, material.gloss, np.float32),
    )


def quads(corners: ArrayLike, uv: ArrayLike, material: Material) -> Mesh:
    """Mesh from (Q, 4, 3) corners in order round each quad, and (Q, 4, 2) coordinates in m."""
    split = [0, 1, 2, 0, 2, 3]
    points = np.asarray(corners, np.float64).reshape(-1, 4, 3)[:, split]
    return triangles(points, np.asarray(uv, np.float64).reshape(-1, 4, 2)[:, split], material)


def panel(origin: ArrayLike, along: ArrayLike, up: ArrayLike, material: Material, uv: ArrayLike = (0, 0)) -> Mesh:
    """A rectangle from `origin` spanned by the vectors `along` and `up` in m; `uv` is its first corner's."""
    o, a, b = (np.asarray(vector, np.float64) for vector in (origin, along, up))
    u, v = np.asarray(uv, np.float64)
    width, height = np.linalg.norm(a), np.linalg.norm(b)
    coordinates = [[u, v], [u + width, v], [u + width, v + height], [u, v + height]]
    return quads([[o, o + a, o + a + b, o + b]], [coordinates], material)


def box(center: ArrayLike, size: ArrayLike, material: Material) -> Mesh:
    """A closed box, axis-aligned; `center` and `size` (x, y, z) in m."""
    full = np.asarray(size, np.float64)
    corners = np.asarray(center, np.float64) + (_BOX_FACES - 0.5) * full
    width = np.abs(corners[:, 1] - corners[:, 0]).sum(axis=1)
    height = np.abs(corners[:, 3] - corners[:, 0]).sum(axis=1)
    uv = np.zeros((6, 4, 2))
    uv[:, 1:3, 0], uv[:, 2:, 1] = width[:, None], height[:, None]
    return quads(corners, uv, material)


def tube(start: ArrayLike, end: ArrayLike, radii: tuple[float, float], sides: int, material: Material) -> Mesh:
    """A round, possibly tapered rod with closed ends from `start` to `end`, radii in m, smooth normals."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    length = np.linalg.norm(b - a)
    axis = (b - a) / length
    other = np.array([[0.0, 1.0, 0.0] if abs(axis[1]) < 0.9 else [1.0, 0.0, 0.0]])
    side = cross(axis[None], other)
    side /= np.linalg.norm(side)
    angle, column, upper = _tube_wall(sides)
    ring = np.cos(angle)[:, None] * side + np.sin(angle)[:, None] * cross(axis[None], side)
    low, high = a + ring * radii[0], b + ring * radii[1]
    corners = np.where(upper[..., None], high[column], low[column])
    uv = np.stack([(angle * max(radii))[column], upper * length], axis=-1)
    wall = triangles(corners, uv, material, ring[column])
    caps = [
        fan(points, material) for points, radius in ((low[:-1][::-1], radii[0]), (high[:-1], radii[1])) if radius > 0
    ]
    return join([wall, *caps])


@cache
def _tube_wall(sides: int) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.bool_]]:
    """Angles round a tube (sides + 1,), and of its wall's (2 sides, 3) corners: which angle, and whether above."""
    column = (np.arange(sides)[:, None] + np.array([0, 1, 1, 0, 1, 0])).reshape(-1, 3)
    upper = np.tile(np.array([[0, 0, 1], [0, 1, 1]], bool), (sides, 1))
    return np.linspace(0, 2 * np.pi, sides + 1), column, upper


@cache
def _fan_triangles(count: int) -> NDArray[np.intp]:
    """Corners (count - 2, 3) of the triangles from a polygon's first corner."""
    later = np.arange(1, count - 1)
    return np.stack([np.zeros_like(later), later, later + 1], axis=-1)


def fan(outline: ArrayLike, material: Material, uv: ArrayLike | None = None) -> Mesh:
    """A flat convex polygon from its (N, 3) outline in m; `uv` (N, 2) defaults to in-plane metres."""
    points = np.asarray(outline, np.float64)
    if uv is None:
        along = points[1] - points[0]
        along = along / np.linalg.norm(along)
        normal = cross(points[1:2] - points[:1], points[2:3] - points[:1])
        across = cross(normal / np.linalg.norm(normal), along[None])[0]
        uv = np.stack([(points - points[0]) @ along, (points - points[0]) @ across], axis=-1)
    coordinates = np.asarray(uv, np.float64)
    index = _fan_triangles(len(points))
    return triangles(points[index], coordinates[index], material)


def smooth(vertices: ArrayLike, faces: ArrayLike, material: Material) -> Mesh:
    """An indexed mesh with averaged normals; coordinates are (x + y, z) in m, good enough for round things."""
    solid = trimesh.Trimesh(vertices=vertices, faces=faces, process=False)
    corners = np.asarray(solid.vertices)[solid.faces]
    uv = np.stack([corners[..., 0] + corners[..., 1], corners[..., 2]], axis=-1)
    return triangles(corners, uv, material, np.asarray(solid.vertex_normals)[solid.faces])


def ball(center: ArrayLike, radii: ArrayLike, material: Material, subdivisions: int = 2) -> Mesh:
    """An ellipsoid with half axes `radii` (x, y, z) in m."""
    vertices, faces = _sphere(subdivisions)
    return smooth(vertices * np.asarray(radii) + np.asarray(center), faces, material)


@cache
def _sphere(subdivisions: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Corners and faces of a unit sphere."""
    sphere = trimesh.creation.icosphere(subdivisions=subdivisions)
    return np.asarray(sphere.vertices), np.asarray(sphere.faces)
