# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The surface textures: drawn once per street from noise, in linear light, periodic in both directions.

Every tile has four channels: fixed red, green, blue, and the share by which the object's own colour shows.
"""

from __future__ import annotations

from enum import IntEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.simulation.facades import FACADE_PERIOD, GROUND_PERIOD, FacadeStyle, draw_facade
from depth_node.simulation.texture import SIZE, Atlas, fractal_noise

Floats = NDArray[np.float32]


class Tile(IntEnum):
    """Index of a texture in the atlas."""

    PLAIN = 0
    ASPHALT = 1
    PAVING = 2
    KERB = 3
    GRASS = 4
    ROOF = 5
    BARK = 6
    LEAF = 7
    PAINT = 8
    CLOTH = 9
    METAL = 10
    WOOD = 11
    SIGN = 12
    MACRO = 13
    BRICK = 14
    BRICK_GROUND = 15
    PLASTER = 16
    PLASTER_GROUND = 17
    STONE = 18
    STONE_GROUND = 19
    MODERN = 20
    MODERN_GROUND = 21


MACRO_PERIOD = 53.0
SIGN_COUNT = 4  # signs along each side of the sign tile, which spans 1 m
PERIODS: dict[Tile, tuple[float, float]] = {
    Tile.PLAIN: (3.1, 3.1),
    Tile.ASPHALT: (7.7, 7.7),
    Tile.PAVING: (4.8, 4.8),
    Tile.KERB: (4.0, 4.0),
    Tile.GRASS: (9.1, 9.1),
    Tile.ROOF: (6.0, 6.0),
    Tile.BARK: (2.3, 2.3),
    Tile.LEAF: (2.9, 2.9),
    Tile.PAINT: (4.3, 4.3),
    Tile.CLOTH: (1.1, 1.1),
    Tile.METAL: (1.7, 1.7),
    Tile.WOOD: (2.4, 2.4),
    Tile.SIGN: (1.0, 1.0),
    Tile.MACRO: (MACRO_PERIOD, MACRO_PERIOD),
}
_FACADES = {
    Tile.BRICK: FacadeStyle.BRICK,
    Tile.PLASTER: FacadeStyle.PLASTER,
    Tile.STONE: FacadeStyle.STONE,
    Tile.MODERN: FacadeStyle.MODERN,
}


def build_atlas(rng: np.random.Generator) -> Atlas:
    """Draw all tiles and their ripmaps; takes about two seconds."""
    plain = {
        Tile.PLAIN: _tinted(_grain(rng, 0.06, 0.8)),
        Tile.ASPHALT: _tinted(_asphalt(rng)),
        Tile.PAVING: _tinted(_paving(rng, 12, 8)),
        Tile.KERB: _tinted(_paving(rng, 4, 1)),
        Tile.GRASS: _grass(rng),
        Tile.ROOF: _tinted(_roof(rng)),
        Tile.BARK: _tinted(_bark(rng)),
        Tile.LEAF: _tinted(np.clip(0.55 + 0.30 * fractal_noise(SIZE, 0.7, rng), 0.08, 1)),
        Tile.PAINT: _tinted(np.clip(0.8 + 0.07 * fractal_noise(SIZE, 1.1, rng), 0, 1)),
        Tile.CLOTH: _tinted(np.clip(0.65 + 0.16 * fractal_noise(SIZE, 1.0, rng), 0.1, 1)),
        Tile.METAL: _tinted(_grain(rng, 0.08, 1.0)),
        Tile.WOOD: _tinted(_wood(rng)),
        Tile.SIGN: _signs(rng),
        Tile.MACRO: _tinted(_macro(rng)),
    }
    for tile, style in _FACADES.items():
        plain[tile] = draw_facade(style, False, rng)
        plain[Tile(tile + 1)] = draw_facade(style, True, rng)
    periods = [PERIODS.get(tile, GROUND_PERIOD if tile % 2 else FACADE_PERIOD) for tile in Tile]
    return Atlas([plain[tile] for tile in Tile], periods)


def _tinted(share: Floats) -> Floats:
    tile = np.zeros((SIZE, SIZE, 4), np.float32)
    tile[..., 3] = share
    return tile


def _grain(rng: np.random.Generator, strength: float, slope: float) -> Floats:
    return np.clip(0.75 + strength * fractal_noise(SIZE, slope, rng), 0.1, 1)


def _asphalt(rng: np.random.Generator) -> Floats:
    """Stone grains, stains and a few cracks where a stretched noise crosses zero."""
    share = 0.5 + 0.13 * fractal_noise(SIZE, 0.4, rng) + 0.11 * fractal_noise(SIZE, 1.0, rng)
    crack = np.abs(fractal_noise(SIZE, 1.6, rng))
    where = fractal_noise(SIZE, 1.5, rng) > 1.1
    share[(crack < 0.03) & where] *= 0.45
    bright = rng.random((SIZE, SIZE)) > 0.99
    share[bright] += 0.25
    return np.clip(share, 0.08, 1).astype(np.float32)


def _cells(columns: int, rows: int, shift: float, rng: np.random.Generator) -> tuple[Floats, Floats, Floats]:
    """Running-bond cells: value per cell (0..1), and distance to the joint along u and v in cells."""
    v = np.arange(SIZE)[:, None] / SIZE * rows + np.zeros((1, SIZE))
    row = v.astype(int)
    u = np.arange(SIZE)[None] / SIZE * columns + (row % 2) * shift
    value = rng.random((rows, columns))[row, u.astype(int) % columns]
    joint_u, joint_v = 0.5 - np.abs(u % 1 - 0.5), 0.5 - np.abs(v % 1 - 0.5)
    return value.astype(np.float32), joint_u.astype(np.float32), joint_v.astype(np.float32)


def _paving(rng: np.random.Generator, columns: int, rows: int) -> Floats:
    value, joint_u, joint_v = _cells(columns, rows, 0.5, rng)
    share = 0.55 + 0.22 * value + 0.06 * fractal_noise(SIZE, 0.6, rng) + 0.06 * fractal_noise(SIZE, 1.3, rng)
    share[(joint_u < 0.035) | (joint_v < 0.03)] *= 0.5
    stain = fractal_noise(SIZE, 1.2, rng) > 1.9
    share[stain] *= 0.75
    return np.clip(share, 0.05, 1).astype(np.float32)


def _roof(rng: np.random.Generator) -> Floats:
    value, joint_u, joint_v = _cells(24, 20, 0.5, rng)
    share = (0.45 + 0.3 * value) * (0.55 + 0.9 * joint_v) + 0.05 * fractal_noise(SIZE, 1.0, rng)
    share[joint_u < 0.06] *= 0.6
    return np.clip(share, 0.05, 1).astype(np.float32)


def _bark(rng: np.random.Generator) -> Floats:
    fine = cv2.resize(fractal_noise(SIZE, 0.9, rng)[: SIZE // 4], (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
    return np.clip(0.5 + 0.22 * fine, 0.08, 1)


def _wood(rng: np.random.Generator) -> Floats:
    value, joint_u, _ = _cells(16, 1, 0.0, rng)
    share = 0.5 + 0.35 * value + 0.08 * _bark(rng)
    share[joint_u < 0.06] *= 0.3
    return np.clip(share, 0.05, 1).astype(np.float32)


def _grass(rng: np.random.Generator) -> Floats:
    """Grass and bare earth in patches, all of it in fixed colours."""
    patch = np.clip(0.5 + 0.6 * fractal_noise(SIZE, 1.2, rng), 0, 1)[..., None]
    fine = np.clip(0.65 + 0.25 * fractal_noise(SIZE, 0.5, rng), 0.1, 1.2)[..., None]
    green, earth = np.array([0.10, 0.17, 0.05]), np.array([0.20, 0.17, 0.10])
    tile = np.zeros((SIZE, SIZE, 4), np.float32)
    tile[..., :3] = np.clip((green * patch + earth * (1 - patch)) * fine, 0, 1)
    return tile


def _macro(rng: np.random.Generator) -> Floats:
    """Slow brightness changes laid over every surface, so that no repetition of a tile is seen; repaired patches."""
    share = 0.5 + 0.085 * fractal_noise(SIZE, 1.2, rng)
    for _ in range(26):
        width, height = rng.integers(8, 48), rng.integers(6, 22)
        x, y = rng.integers(0, SIZE - int(width)), rng.integers(0, SIZE - int(height))
        share[y : y + height, x : x + width] += rng.choice([-0.12, 0.08])
    return np.clip(share, 0.15, 0.9).astype(np.float32)


def _signs(rng: np.random.Generator) -> Floats:
    """Sixteen sign faces, each over its whole quarter: the plate's outline is cut by the mesh."""
    side = SIZE // SIGN_COUNT
    tile = np.zeros((SIZE, SIZE, 3), np.uint8)
    red, blue, white, black, yellow = (190, 20, 25), (20, 70, 170), (235, 235, 230), (15, 15, 15), (235, 180, 20)
    for k in range(SIGN_COUNT * SIGN_COUNT):
        face = np.full((side, side, 3), white, np.uint8)
        mid, kind = side // 2, k % 4
        if kind == 0:  # speed limit
            cv2.circle(face, (mid, mid), mid - side // 12, red, side // 6, cv2.LINE_AA)
            _write(face, str(rng.choice([30, 40, 50, 60])), black)
        elif kind == 1:  # warning
            cv2.rectangle(face, (0, 0), (side, side), red, -1)
            inner = np.array([[side // 5, side // 4], [side - side // 5, side // 4], [mid, side - side // 4]])
            cv2.fillPoly(face, [inner], white if k < 8 else yellow, cv2.LINE_AA)
            cv2.line(face, (mid, side // 2), (mid, side // 3), black, side // 14, cv2.LINE_AA)
        elif kind == 2:  # direction
            face[:] = blue
            tip = side - side // 5
            cv2.arrowedLine(
                face, (mid, side // 5), (mid + int(rng.integers(-20, 20)), tip), white, side // 10, cv2.LINE_AA
            )
        else:
            face[:] = red if k < 8 else yellow
            _write(face, "STOP" if k < 8 else "BUS", white if k < 8 else black)
        row, column = divmod(k, SIGN_COUNT)
        tile[row * side : (row + 1) * side, column * side : (column + 1) * side] = face
    linear = (tile.astype(np.float32) / 255) ** 2.2
    return np.concatenate([linear, np.zeros((SIZE, SIZE, 1), np.float32)], axis=-1)


def _write(face: NDArray[np.uint8], text: str, color: tuple[int, int, int]) -> None:
    """Centred text, flipped because texture rows run upwards."""
    side = len(face)
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 1.0, 2)
    scale = 0.6 * side / width
    at = (int(side / 2 - scale * width / 2), int(side / 2 + scale * height / 2))
    upright = np.ascontiguousarray(face[::-1])
    cv2.putText(upright, text, at, cv2.FONT_HERSHEY_DUPLEX, scale, color, 3, cv2.LINE_AA)
    face[:] = upright[::-1]
