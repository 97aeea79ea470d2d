# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated camera: image, exact depth and labels of one frame.

Every pixel gets one ray through its centre, which also gives depth and label; pixels at edges of objects,
materials or shadows get four more rays, so that lines neither step nor crawl.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depth_node.simulation import labels
from depth_node.simulation.raycast import Hits, World
from depth_node.simulation.shading import Painter

Floats = NDArray[np.float32]
EXPOSURE = 1.15
_SUBPIXELS = ((-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125))


@dataclass(frozen=True)
class Picture:
    """One frame.

    Attributes:
        rgb: (H, W, 3) uint8.
        depth: (H, W) float32 metres along the optical axis at pixel centres, inf in the sky.
        labels: (H, W) uint8 Cityscapes train ids.
    """

    rgb: NDArray[np.uint8]
    depth: Floats
    labels: NDArray[np.uint8]


@dataclass(frozen=True)
class _Shots:
    """What N rays saw: linear colour (N, 3), depth, label, material group, normal (N, 3) and sun (N,)."""

    color: Floats
    depth: Floats
    label: NDArray[np.uint8]
    group: Floats
    normals: Floats
    sun: Floats


class Camera:
    """A pinhole camera in a street."""

    def __init__(self, K: NDArray[np.float64], width: int, height: int, world: World, painter: Painter) -> None:
        """`K` (3, 3) in pixels with centres at integers."""
        self._K, self._size, self._world, self._painter = K, (height, width), world, painter

    def take(self, T_world_camera: NDArray[np.float64]) -> Picture:
        """Render from a pose, T_world_camera (4, 4) in m."""
        height, width = self._size
        y, x = (axis.ravel().astype(np.float32) for axis in np.mgrid[:height, :width])
        shots = self._shoot(T_world_camera, x, y, 1.0)
        edge = np.flatnonzero(_edges(shots, height, width))
        developed = _develop(shots.color)
        if len(edge):
            count = len(_SUBPIXELS)
            shift = np.repeat(np.array(_SUBPIXELS, np.float32), len(edge), axis=0)
            across, down = np.tile(x[edge], count) + shift[:, 0], np.tile(y[edge], count) + shift[:, 1]
            more = self._shoot(T_world_camera, across, down, 0.6)
            # Average what the eye sees, not radiance: a bright sky behind a leaf would otherwise eat it.
            extra = _develop(more.color).reshape(count, len(edge), 3).sum(axis=0)
            developed[edge] = (developed[edge] + extra) / (count + 1)
        rgb = np.rint(developed * 255).astype(np.uint8)
        return Picture(
            rgb.reshape(height, width, 3), shots.depth.reshape(height, width), shots.label.reshape(height, width)
        )

    def _shoot(self, pose: NDArray[np.float64], x: Floats, y: Floats, footprint: float) -> _Shots:
        """Trace and light rays through pixel positions; `footprint` is the sample's size in pixels."""
        turn, focal = pose[:3, :3], np.array([self._K[0, 0], self._K[1, 1]])
        axes = (turn[:, :2] / focal).astype(np.float32)
        forward = turn[:, 2] - axes.astype(np.float64) @ self._K[:2, 2]
        # The direction has length 1 along the optical axis, so the ray parameter is the depth.
        directions = x[:, None] * axes[:, 0] + y[:, None] * axes[:, 1] + forward.astype(np.float32)
        origin = pose[:3, 3].astype(np.float32)
        hits = self._world.cast(np.broadcast_to(origin, directions.shape).astype(np.float32), directions)
        return self._light(hits, origin, directions, axes * np.float32(footprint))

    def _light(self, hits: Hits, origin: Floats, directions: Floats, axes: Floats) -> _Shots:
        """Colour and kind of what the rays hit; `axes` (3, 2) are the sample steps right and down."""
        found, missed = np.flatnonzero(hits.triangle >= 0), np.flatnonzero(hits.triangle < 0)
        seen, rays = hits.rows(found), directions[found]
        surface = self._painter.surface(seen, origin, rays, (axes[:, 0].copy(), axes[:, 1].copy()))
        sun_here = self._painter.sunlit(surface)
        count = len(directions)
        color, normals = np.empty((count, 3), np.float32), np.zeros((count, 3), np.float32)
        color[found] = self._painter.light(surface, sun_here, rays, seen.way)
        color[missed] = self._painter.sky(directions[missed])
        normals[found] = surface.normals
        label = np.full(count, labels.SKY, np.uint8)
        label[found] = surface.label
        group, sun = np.full(count, -1, np.float32), np.zeros(count, np.float32)
        group[found], sun[found] = surface.group, sun_here
        return _Shots(color, hits.way, label, group, normals, sun)


def _develop(color: Floats) -> Floats:
    """Linear radiance to display values 0..1: fixed exposure, soft shoulder, sRGB curve approximated by 1/2.2."""
    exposed = color * np.float32(EXPOSURE)
    return np.clip(exposed / (np.float32(1) + np.float32(0.25) * exposed), 0, 1) ** np.float32(1 / 2.2)


def _edges(shots: _Shots, height: int, width: int) -> NDArray[np.bool_]:
    """Pixels whose neighbours show another surface, side or shadow.

    Inverse depth of a plane is linear in the image, so its second difference tells steps from slanted planes.
    """
    inverse = (1 / shots.depth).reshape(height, width)
    group = shots.group.reshape(height, width)
    shade = (shots.sun > 0).reshape(height, width)
    normals = shots.normals.reshape(height, width, 3)
    edge = np.zeros((height, width), bool)
    for axis in (0, 1):
        a, b = (slice(None, -1), slice(1, None))
        low, high = ((a, slice(None)), (b, slice(None))) if axis == 0 else ((slice(None), a), (slice(None), b))
        step = np.abs(group[low] - group[high]) > 1e-3
        step |= shade[low] != shade[high]
        step |= np.einsum("hwc,hwc->hw", normals[low], normals[high]) < 0.95 * ((group[low] >= 0) & (group[high] >= 0))
        edge[low] |= step
        edge[high] |= step
        bend = np.abs(np.diff(inverse, 2, axis=axis))
        middle = (slice(1, -1), slice(None)) if axis == 0 else (slice(None), slice(1, -1))
        edge[middle] |= bend > 0.02 * inverse[middle] + 1e-5
    return edge.ravel()
