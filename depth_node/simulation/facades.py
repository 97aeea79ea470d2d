# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""House fronts: walls of brick, plaster, stone or panels with windows, doors and shop fronts as texture tiles."""

from __future__ import annotations

from enum import Enum

import numpy as np
from numpy.typing import NDArray

from depth_node.simulation.texture import SIZE, fractal_noise

Floats = NDArray[np.float32]
BAY = 3.0  # width of one window axis and height of one floor, m
BAYS = 3
FACADE_PERIOD = (BAY * BAYS, BAY * BAYS)
GROUND_PERIOD = (BAY * BAYS, BAY)


class FacadeStyle(Enum):
    """How the wall between the windows is built: brick columns and rows per tile, joint width, contrast."""

    BRICK = (30, 60, 0.16, 0.30)
    PLASTER = (1, 1, 0.0, 0.0)
    STONE = (12, 20, 0.05, 0.22)
    MODERN = (6, 3, 0.02, 0.10)


def draw_facade(style: FacadeStyle, ground: bool, rng: np.random.Generator) -> Floats:
    """One facade tile (SIZE, SIZE, 4): three by three floors and bays, or three bays of a ground floor."""
    canvas = _Canvas(style, ground, rng)
    for bay in range(BAYS):
        if ground:
            _ground_bay(canvas, bay, style, rng)
        else:
            for floor in range(BAYS):
                _window_bay(canvas, bay * BAY, floor * BAY, style, rng)
    return np.clip(canvas.tile, 0, 1)


class _Canvas:
    """A tile under construction, painted in metres from its lower left corner."""

    def __init__(self, style: FacadeStyle, ground: bool, rng: np.random.Generator) -> None:
        self.width, self.height = GROUND_PERIOD if ground else FACADE_PERIOD
        self.tile = np.zeros((SIZE, SIZE, 4), np.float32)
        self.tile[..., 3] = _wall(style, 3 if ground else 1, rng)
        self.rng = rng

    def fill(
        self, box: tuple[float, float, float, float], color: tuple[float, float, float], grain: float = 0.0
    ) -> None:
        """Paint the rectangle (u, v, width, height) in m with a linear colour."""
        u, v, width, height = box
        rows = slice(round(v / self.height * SIZE), max(round((v + height) / self.height * SIZE), 0))
        columns = slice(round(u / self.width * SIZE), round((u + width) / self.width * SIZE))
        patch = self.tile[rows, columns]
        patch[..., 3] = 0
        noise = 1 + grain * self.rng.standard_normal(patch.shape[:2])
        patch[..., :3] = np.asarray(color) * noise[..., None]

    def shade(self, box: tuple[float, float, float, float], factor: float) -> None:
        """Darken or lighten a rectangle without changing what it is."""
        u, v, width, height = box
        rows = slice(round(v / self.height * SIZE), round((v + height) / self.height * SIZE))
        columns = slice(round(u / self.width * SIZE), round((u + width) / self.width * SIZE))
        self.tile[rows, columns] *= factor


def _wall(style: FacadeStyle, fewer_rows: int, rng: np.random.Generator) -> Floats:
    columns, rows, joint, contrast = style.value
    rows = max(1, rows // fewer_rows)
    v = np.arange(SIZE)[:, None] / SIZE * rows + np.zeros((1, SIZE))
    row = v.astype(int)
    u = np.arange(SIZE)[None] / SIZE * columns + (row % 2) * (0.5 if joint > 0.03 else 0.0)
    share = 0.72 + contrast * (rng.random((rows, columns))[row, u.astype(int) % columns] - 0.5)
    share += 0.045 * fractal_noise(SIZE, 0.4, rng) + 0.055 * fractal_noise(SIZE, 1.2, rng)
    near = np.minimum((0.5 - np.abs(u % 1 - 0.5)) * 2, (0.5 - np.abs(v % 1 - 0.5)))
    if joint:
        share[near < joint] *= 0.68 if style is FacadeStyle.BRICK else 0.5
    return share.astype(np.float32)


def _window_bay(canvas: _Canvas, u: float, v: float, style: FacadeStyle, rng: np.random.Generator) -> None:
    wide = {FacadeStyle.MODERN: 2.3, FacadeStyle.STONE: 1.2}.get(style, 1.4)
    high = {FacadeStyle.MODERN: 1.7, FacadeStyle.STONE: 1.9}.get(style, 1.6)
    left, low = u + (BAY - wide) / 2, v + 0.85
    canvas.shade((left - 0.02, low - 0.75, wide + 0.04, 0.65), 0.93)  # streaks below the sill
    surround = (0.62, 0.60, 0.55) if style is not FacadeStyle.MODERN else (0.12, 0.12, 0.13)
    canvas.fill((left - 0.13, low - 0.13, wide + 0.26, high + 0.3), surround, 0.05)
    canvas.fill((left - 0.2, low - 0.2, wide + 0.4, 0.1), (0.5, 0.48, 0.45), 0.08)
    _glazing(canvas, (left, low, wide, high), rng)


def _glazing(canvas: _Canvas, box: tuple[float, float, float, float], rng: np.random.Generator) -> None:
    """Glass with its frame, dark upper edge, and sometimes curtains, a blind or a bright room behind."""
    u, v, width, height = box
    frame = (0.7, 0.7, 0.68) if rng.random() < 0.7 else (0.13, 0.08, 0.05)
    canvas.fill(box, frame)
    panes = 2 if width < 1.8 else 3
    pane_width = (width - 0.07 * (panes + 1)) / panes
    dark = rng.uniform(0.02, 0.07)
    mood = rng.random()
    for pane in range(panes):
        left = u + 0.07 + pane * (pane_width + 0.07)
        for low, tall in ((v + 0.07, height * 0.62 - 0.1), (v + height * 0.62 + 0.03, height * 0.38 - 0.1)):
            canvas.fill((left, low, pane_width, tall), (dark, dark * 1.15, dark * 1.35), 0.15)
            canvas.fill((left, low, pane_width * 0.4, tall * 0.3), (dark * 2.5, dark * 2.9, dark * 3.3), 0.1)
            if mood < 0.4 and pane in (0, panes - 1):
                edge = left if pane == 0 else left + pane_width * 0.5
                canvas.fill((edge, low, pane_width * 0.5, tall), (0.42, 0.38, 0.32), 0.12)
            elif mood > 0.8:
                canvas.fill((left, low + tall * 0.35, pane_width, tall * 0.65), (0.5, 0.47, 0.4), 0.06)
    canvas.shade((u, v + height - 0.12, width, 0.12), 0.5)


def _ground_bay(canvas: _Canvas, bay: int, style: FacadeStyle, rng: np.random.Generator) -> None:
    u = bay * BAY
    canvas.fill((u, 0.0, BAY, 0.35), (0.22, 0.21, 0.20), 0.10)  # plinth
    if style in (FacadeStyle.MODERN, FacadeStyle.PLASTER) and bay != 1:  # shop front with a sign band
        canvas.fill((u + 0.2, 2.45, BAY - 0.4, 0.42), tuple(rng.uniform(0.05, 0.5, 3)), 0.05)
        for k in range(7):
            canvas.fill((u + 0.5 + 0.3 * k, 2.55, rng.uniform(0.08, 0.2), 0.22), (0.75, 0.74, 0.7))
        _glazing(canvas, (u + 0.25, 0.45, BAY - 0.5, 1.9), rng)
    elif bay == 1:  # door with a step, a frame and a letter box
        canvas.fill((u + 0.85, 0.0, 1.3, 2.45), (0.6, 0.58, 0.54), 0.04)
        canvas.fill((u + 1.0, 0.05, 1.0, 2.0), tuple(rng.uniform(0.03, 0.3, 3)), 0.08)
        canvas.fill((u + 1.15, 1.2, 0.3, 0.6), (0.05, 0.06, 0.08), 0.1)
        canvas.fill((u + 1.55, 1.2, 0.3, 0.6), (0.05, 0.06, 0.08), 0.1)
        canvas.fill((u + 1.0, 2.1, 1.0, 0.28), (0.06, 0.07, 0.09), 0.1)
        canvas.fill((u + 1.85, 1.0, 0.08, 0.12), (0.7, 0.6, 0.2))
    else:
        _window_bay(canvas, u, 0.0, style, rng)
