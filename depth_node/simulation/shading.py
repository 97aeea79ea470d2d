# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Colour of what rays hit: filtered albedo, sun with cast shadows, sky light, a little mirroring and haze."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.simulation import labels
from depth_node.simulation.markings import marking_coverage
from depth_node.simulation.raycast import Hits, World
from depth_node.simulation.street import Street
from depth_node.simulation.texture import Atlas, fractal_noise
from depth_node.simulation.tiles import Tile, build_atlas

Floats = NDArray[np.float32]
SUN = np.array([2.05, 1.92, 1.68], np.float32)
SKY_LIGHT = np.array([0.56, 0.64, 0.78], np.float32)
GROUND_LIGHT = np.array([0.30, 0.28, 0.25], np.float32)
HAZE = np.array([0.72, 0.78, 0.86], np.float32)
HAZE_RANGE = 700.0
PAINT = np.array([0.68, 0.68, 0.65], np.float32)
_CLOUDS = 1024


@dataclass(frozen=True)
class Surface:
    """N points that were hit: everything about the surface that does not depend on light.

    Attributes:
        points: (N, 3) positions in m.
        normals: (N, 3) unit shading normals towards the viewer.
        flat: (N, 3) unit geometric normals towards the viewer.
        albedo: (N, 3) linear RGB.
        gloss: (N,) share of mirrored sky.
        label: (N,) Cityscapes train id.
        group: (N,) number that differs between materials.
    """

    points: Floats
    normals: Floats
    flat: Floats
    albedo: Floats
    gloss: Floats
    label: NDArray[np.uint8]
    group: Floats


@lru_cache(maxsize=1)  # some 95 MB, for streets of one seed after each other
def _drawn(seed: int) -> tuple[Atlas, Floats, NDArray[np.float64]]:
    """Textures, clouds (_CLOUDS, _CLOUDS) in 0..1 and where the wind has brought these (2,)."""
    rng = np.random.default_rng([seed, 4])
    atlas = build_atlas(rng)
    clouds = fractal_noise(_CLOUDS, 1.55, rng) + 0.25 * fractal_noise(_CLOUDS, 1.1, rng)
    clouds = np.clip((clouds - rng.uniform(-0.1, 0.5)) / 1.3, 0, 1).astype(np.float32)
    return atlas, clouds, rng.uniform(0, _CLOUDS, 2)


class Painter:
    """Looks up and lights surfaces of one street."""

    def __init__(self, street: Street, world: World, seed: int) -> None:
        """Draw the textures of `seed`; takes some two seconds."""
        self._street, self._world = street, world
        self._atlas, self._clouds, self._wind = _drawn(seed)
        self._sun = street.sun.astype(np.float32)

    def surface(self, hits: Hits, origin: Floats, directions: Floats, steps: tuple[Floats, Floats] | float) -> Surface:
        """Gather surface properties where rays hit; all rays must have hit something.

        Args:
            hits: N hits.
            origin: (3,) common origin in m.
            directions: (N, 3) ray directions.
            steps: change of a direction per sample step right and down (two (3,)), or a fixed footprint in m.
        """
        find, triangle = self._world.look_up, hits.triangle
        weights = np.stack([1 - hits.b1 - hits.b2, hits.b1, hits.b2], axis=-1)
        uv = np.einsum("nk,nkc->nc", weights, find("uv", triangle))
        normals = np.einsum("nk,nkc->nc", weights, find("normals", triangle))
        normals /= np.maximum(np.sqrt(np.einsum("nc,nc->n", normals, normals)), 1e-6)[:, None]
        flat, toward = find("flat", triangle), -directions
        normals *= np.where(np.einsum("nc,nc->n", normals, toward) < 0, np.float32(-1), np.float32(1))[:, None]
        facing = np.einsum("nc,nc->n", flat, toward)
        flat *= np.where(facing < 0, np.float32(-1), np.float32(1))[:, None]
        tile = find("tile", triangle)
        du, dv = self._footprint(hits, flat, directions, steps)
        return Surface(
            origin + directions * hits.way[:, None],
            normals,
            flat,
            self._albedo(find("color", triangle), tile, uv, du, dv),
            find("gloss", triangle),
            find("label", triangle),
            find("group", triangle),
        )

    def _footprint(
        self, hits: Hits, flat: Floats, directions: Floats, steps: tuple[Floats, Floats] | float
    ) -> tuple[Floats, Floats]:
        """Size of a sample on the surface along both texture axes in m, from the ray's differentials."""
        if isinstance(steps, float):
            size = np.full(len(flat), steps, np.float32)
            return size, size
        grad_u, grad_v = self._world.look_up("grad_u", hits.triangle), self._world.look_up("grad_v", hits.triangle)
        facing = np.einsum("nc,nc->n", flat, directions)
        facing = np.where(np.abs(facing) < 1e-4, np.float32(-1e-4), facing)
        along_u, along_v = np.einsum("nc,nc->n", grad_u, directions), np.einsum("nc,nc->n", grad_v, directions)
        du = dv = np.float32(0)
        for step in steps:
            slant = (flat @ step) / facing
            du = du + (grad_u @ step - along_u * slant) ** 2
            dv = dv + (grad_v @ step - along_v * slant) ** 2
        return np.sqrt(du) * hits.way + np.float32(1e-4), np.sqrt(dv) * hits.way + np.float32(1e-4)

    def _albedo(self, color: Floats, tile: NDArray[np.int16], uv: Floats, du: Floats, dv: Floats) -> Floats:
        u, v = uv[:, 0], uv[:, 1]
        texel = self._atlas.sample(tile, u, v, du, dv)
        slow = self._atlas.sample(np.full_like(tile, Tile.MACRO), u + tile * np.float32(3.7), v, du, dv)[:, 3]
        road = np.flatnonzero(tile == Tile.ASPHALT)
        albedo = texel[:, :3] + color * texel[:, 3:]
        if len(road):
            paint = marking_coverage(self._street.profile, u[road], v[road], du[road], dv[road])
            worn = np.clip(2.2 * texel[road, 3] + 0.1, 0.35, 1.0)
            paint = (paint * worn)[:, None]
            albedo[road] = albedo[road] * (1 - paint) + PAINT * paint * (0.7 + 0.5 * texel[road, 3:])
        return albedo * (np.float32(0.35) + np.float32(1.3) * slow)[:, None]

    def sunlit(self, surface: Surface) -> NDArray[np.float32]:
        """(N,) sun on each surface: cosine of incidence, 0 in shadow."""
        slope = surface.normals @ self._sun
        leaf = surface.label == labels.VEGETATION
        slope = np.where(leaf, np.float32(0.35) + np.float32(0.65) * slope, slope)
        bright = np.flatnonzero(slope > 0)
        side = np.where(surface.flat[bright] @ self._sun < 0, np.float32(-0.004), np.float32(0.004))
        start = surface.points[bright] + surface.flat[bright] * side[:, None] + self._sun * np.float32(0.03)
        shadow = self._world.blocked(start, np.broadcast_to(self._sun, start.shape).astype(np.float32))
        sun = np.zeros(len(slope), np.float32)
        sun[bright] = np.where(shadow, np.float32(0), slope[bright])
        return sun

    def light(self, surface: Surface, sun: Floats, directions: Floats, way: Floats) -> Floats:
        """(N, 3) linear radiance towards the viewer; `way` (N,) is the distance in m."""
        up = (0.5 + 0.5 * surface.normals[:, 2:]).astype(np.float32)
        color = surface.albedo * (sun[:, None] * SUN + up * SKY_LIGHT + (1 - up) * GROUND_LIGHT)
        shiny = np.flatnonzero(surface.gloss > 0)
        if len(shiny):
            color[shiny] += self._mirror(surface, shiny, directions)
        clear = np.exp(-way / np.float32(HAZE_RANGE))[:, None]
        return color * clear + HAZE * (1 - clear)

    def _mirror(self, surface: Surface, rows: NDArray[np.intp], directions: Floats) -> Floats:
        ray = directions[rows] / np.linalg.norm(directions[rows], axis=1, keepdims=True)
        normal = surface.normals[rows]
        cosine = np.clip(-np.einsum("nc,nc->n", ray, normal), 0, 1)
        bounced = ray + 2 * cosine[:, None] * normal
        share = surface.gloss[rows] * (0.35 + 0.65 * (1 - cosine) ** 3)
        height = np.clip(bounced[:, 2] * 1.6 + 0.3, 0.08, 1)  # below the horizon the street is mirrored, dark
        return (share * height)[:, None] * np.array([0.75, 0.85, 1.0], np.float32)

    def sky(self, directions: Floats) -> Floats:
        """(N, 3) linear radiance of the sky."""
        if not len(directions):  # OpenCV refuses to look up nothing
            return np.zeros((0, 3), np.float32)
        ray = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        up = np.clip(ray[:, 2:], 0, 1)
        blue = np.array([0.20, 0.40, 0.82], np.float32)
        color = HAZE * (1 - up) ** 3 + blue * (1 - (1 - up) ** 3)
        flat = ray[:, :2] / (np.abs(ray[:, 2:]) + np.float32(0.12)) * 70 + self._wind
        flat = (flat % (_CLOUDS - 1)).astype(np.float32)
        padded = np.pad(flat, ((0, -len(flat) % 1024), (0, 0))).reshape(-1, 1024, 2)
        cloud = cv2.remap(self._clouds, padded[..., 0], padded[..., 1], cv2.INTER_LINEAR).reshape(-1)[: len(flat)]
        cloud = cloud[:, None] * np.clip(ray[:, 2:] * 8 + 0.3, 0.15, 1)
        color = color * (1 - cloud) + np.array([1.02, 1.02, 1.04], np.float32) * cloud
        glare = np.clip(ray @ self._sun, 0, 1)[:, None] ** 60
        return (color + 0.5 * glare).astype(np.float32)
