# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A made world: a textured road and walls beside it, seen by a camera that drives, with exact depth."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from depth_node.scale.depth_frame import DepthFrame

HEIGHT, WIDTH, FOCAL = 96, 320, 186.0
CAMERA_HEIGHT, WALL = 1.5, 6.0
UNIT = 12.0
"""Metres per unit of the frames' depth."""


class World:
    """Road under, walls on both sides, a wall 40 m ahead of the start; every surface has a texture of its own."""

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        noise = rng.integers(0, 255, (512, 512)).astype(np.uint8)
        self._texture = cv2.GaussianBlur(noise, (0, 0), 1.5).astype(np.float32)
        self._texture = (self._texture - self._texture.mean()) * 5 + 128

    def frame(self, ahead: float = 0.0, pitch: float = 0.0, stamp_ns: int = 0, unit: float = UNIT) -> DepthFrame:
        """The picture from `ahead` metres down the road, the camera looking down by `pitch` degrees."""
        K = np.array([[FOCAL, 0, (WIDTH - 1) / 2], [0, FOCAL, 40.0], [0, 0, 1.0]])
        y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
        rays = np.stack([(x - K[0, 2]) / FOCAL, (y - K[1, 2]) / FOCAL, np.ones_like(x)], axis=-1)
        c, s = np.cos(np.radians(pitch)), np.sin(np.radians(pitch))
        level = rays @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]]).T  # to axes whose y is straight down
        with np.errstate(divide="ignore"):
            road = np.where(level[..., 1] > 1e-6, CAMERA_HEIGHT / level[..., 1], np.inf)
            walls = np.where(np.abs(level[..., 0]) > 1e-6, WALL / np.abs(level[..., 0]), np.inf)
        end = (60.0 - ahead) / level[..., 2]
        depth = np.minimum(np.minimum(road, walls), end)
        points = level * depth[..., None] + [0.0, 0.0, ahead]
        is_road, is_wall = depth == road, depth == walls
        u = np.where(is_wall, points[..., 2], points[..., 0])
        v = np.where(is_road, points[..., 2], points[..., 1] + 100 * is_wall + 200)
        maps = ((u * 20) % 511).astype(np.float32), ((v * 20) % 511).astype(np.float32)
        gray = np.clip(cv2.remap(self._texture, *maps, cv2.INTER_LINEAR), 0, 255).astype(np.uint8)
        ground, moving = is_road, np.zeros_like(is_road)
        return DepthFrame(stamp_ns, "camera", (depth / unit).astype(np.float32), K, gray, ground, moving)


@pytest.fixture(scope="session")
def world() -> World:
    """The world."""
    return World()
