# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What stands beside a street: houses, trees, hedges, fences, lamps, signs and traffic lights (metres)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depth_node.simulation import labels
from depth_node.simulation.facades import BAY, BAYS
from depth_node.simulation.mesh import Material, Mesh, ball, box, fan, join, panel, quads, triangles, tube
from depth_node.simulation.tiles import SIGN_COUNT, Tile

FACADES = (Tile.BRICK, Tile.BRICK, Tile.PLASTER, Tile.PLASTER, Tile.STONE, Tile.MODERN)
WALL_COLORS = {
    Tile.BRICK: ((0.38, 0.14, 0.09), (0.45, 0.22, 0.13), (0.52, 0.36, 0.22), (0.30, 0.12, 0.09)),
    Tile.PLASTER: ((0.72, 0.64, 0.45), (0.66, 0.66, 0.62), (0.70, 0.45, 0.32), (0.45, 0.56, 0.60), (0.60, 0.62, 0.42)),
    Tile.STONE: ((0.55, 0.50, 0.40), (0.48, 0.46, 0.43), (0.60, 0.52, 0.38)),
    Tile.MODERN: ((0.35, 0.37, 0.40), (0.58, 0.58, 0.58), (0.42, 0.30, 0.22)),
}
STEEL = Material((0.30, 0.32, 0.33), Tile.METAL, labels.POLE, 0.05)


def house(bays: int, floors: int, depth: float, rng: np.random.Generator) -> Mesh:
    """A house whose front runs along x from 0 to 3 m times `bays` at y = 0, its body behind at y > 0."""
    style = FACADES[rng.integers(len(FACADES))]
    colors = WALL_COLORS[style]
    color = np.array(colors[rng.integers(len(colors))]) * rng.uniform(0.8, 1.1)
    wall = Material(tuple(np.clip(color * 1.25, 0, 0.9)), style, labels.BUILDING)
    ground = Material(wall.color, Tile(style + 1), labels.BUILDING)
    width, height, shift = bays * BAY, floors * BAY, BAY * rng.integers(0, BAYS)
    lift = BAY * rng.integers(0, BAYS)
    sides = (
        ((0, 0, 0), (width, 0, 0)),
        ((width, 0, 0), (0, depth, 0)),
        ((width, depth, 0), (-width, 0, 0)),
        ((0, depth, 0), (0, -depth, 0)),
    )
    parts = []
    for origin, along in sides:
        parts.append(panel(origin, along, (0, 0, BAY), ground, (shift, 0)))
        upper = (origin[0], origin[1], BAY)
        parts.append(panel(upper, along, (0, 0, height - BAY), wall, (shift, lift)))
    trim = Material(tuple(np.clip(color * 0.4 + 0.35, 0, 0.9)), Tile.PLAIN, labels.BUILDING)
    parts.append(box((width / 2, -0.06, BAY), (width, 0.16, 0.18), trim))
    parts += _roof(width, depth, height, style, trim, rng)
    if style is not Tile.BRICK and rng.random() < 0.5:
        parts += _balconies(bays, floors, trim, rng)
    return join(parts)


def _roof(
    width: float, depth: float, height: float, style: Tile, trim: Material, rng: np.random.Generator
) -> list[Mesh]:
    if style is Tile.MODERN or rng.random() < 0.35:
        return [
            box((width / 2, depth / 2, height + 0.05), (width + 0.3, depth + 0.3, 0.5), trim),
            box((width * rng.uniform(0.3, 0.7), depth * 0.6, height + 1.0), (3.0, 2.5, 2.0), trim),
        ]
    tones = ((0.42, 0.16, 0.10), (0.22, 0.20, 0.20), (0.36, 0.24, 0.18))
    tiles = Material(tones[rng.integers(len(tones))], Tile.ROOF, labels.BUILDING)
    rise, eave, mid = depth * rng.uniform(0.3, 0.45), 0.45, depth / 2
    drop = rise * eave / mid
    slope_front = ((-eave, -eave, height - drop), (width + 2 * eave, 0, 0), (0, mid + eave, rise + drop))
    slope_back = ((width + eave, depth + eave, height - drop), (-width - 2 * eave, 0, 0), (0, -mid - eave, rise + drop))
    gable = Material(trim.color, Tile.PLAIN, labels.BUILDING)
    parts = [panel(*slope_front, tiles), panel(*slope_back, tiles)]
    for x in (0.0, width):
        parts.append(fan([(x, 0, height), (x, depth, height), (x, mid, height + rise)], gable))
    parts.append(box((width / 2, -eave, height - drop), (width + 2 * eave, 0.14, 0.2), trim))
    chimney = Material((0.35, 0.16, 0.11), Tile.KERB, labels.BUILDING)
    parts.append(box((width * rng.uniform(0.2, 0.8), mid, height + rise + 0.2), (0.9, 0.7, 1.8), chimney))
    return parts


def _balconies(bays: int, floors: int, trim: Material, rng: np.random.Generator) -> list[Mesh]:
    rail = Material((0.15, 0.15, 0.16), Tile.METAL, labels.BUILDING)
    parts = []
    for bay in range(int(rng.integers(0, 2)), bays, 2):
        for floor in range(1, floors):
            x, z = (bay + 0.5) * BAY, floor * BAY + 0.3
            parts.append(box((x, -0.55, z), (2.4, 1.1, 0.16), trim))
            parts.append(box((x, -1.07, z + 0.95), (2.4, 0.06, 0.08), rail))
            parts.append(box((x, -1.07, z + 0.45), (2.4, 0.03, 0.7), rail))
    return parts


def tree(rng: np.random.Generator) -> Mesh:
    """A broad-leaved tree at the origin: trunk, boughs and a crown of leaf sprays round a dark core."""
    height, crown = rng.uniform(5.5, 9.5), rng.uniform(1.5, 2.5)
    middle = height - crown * 0.9
    bark = Material((0.16, 0.11, 0.07), Tile.BARK, labels.VEGETATION)
    tone = np.array([0.13, 0.24, 0.05]) * rng.uniform(0.7, 1.3) + rng.uniform(-0.02, 0.04) * np.array([1, 0.4, 0])
    leaf = Material(tuple(tone), Tile.LEAF, labels.VEGETATION)
    core = Material(tuple(tone * 0.45), Tile.LEAF, labels.VEGETATION)
    lean = rng.uniform(-0.15, 0.15, 2)
    parts = [tube((0, 0, -0.2), (lean[0], lean[1], middle), (0.05 * crown + 0.1, 0.08), 9, bark)]
    lobes = []
    for k in range(5):
        angle = 2 * np.pi * k / 5 + rng.uniform(-0.4, 0.4)
        out, up = crown * rng.uniform(0.3, 0.55), rng.uniform(-0.35, 0.7) * crown
        center = np.array([lean[0] + out * np.cos(angle), lean[1] + out * np.sin(angle), middle + up])
        size = crown * rng.uniform(0.45, 0.7)
        lobes.append((center, size))
        parts.append(tube((lean[0] * 0.6, lean[1] * 0.6, middle * 0.6), center, (0.07, 0.03), 5, bark))
        parts.append(ball(center, (size * 0.72, size * 0.72, size * 0.62), core, 1))
    parts += [_sprays(center, size, 70, leaf, rng) for center, size in lobes]
    return join(parts)


def _sprays(center: NDArray[np.float64], size: float, count: int, material: Material, rng: np.random.Generator) -> Mesh:
    """Small leaf cards scattered near the surface of a ball, each turned at random, lit by the ball's normal."""
    outward = rng.standard_normal((count, 3))
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    middle = center + outward * size * rng.uniform(0.62, 1.05, (count, 1)) * (1, 1, 0.9)
    a = rng.standard_normal((count, 3))
    a /= np.linalg.norm(a, axis=1, keepdims=True)
    b = np.cross(a, rng.standard_normal((count, 3)))
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    a, b = a * rng.uniform(0.16, 0.32, (count, 1)), b * rng.uniform(0.12, 0.26, (count, 1))
    corners = np.stack([middle - a, middle - b, middle + a, middle + b], axis=1)
    uv = rng.uniform(0, 2.9, (count, 1, 2)) + np.array([[0, 0], [0.5, 0], [0.5, 0.45], [0, 0.45]])
    cards = quads(corners, uv, material)
    tint = np.repeat(rng.uniform(0.7, 1.3, count), 2).astype(np.float32)[:, None]
    normals = np.repeat(np.repeat(outward + 0.35 * np.array([0, 0, 1.0]), 2, axis=0)[:, None], 3, axis=1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return Mesh(
        cards.corners, normals.astype(np.float32), cards.uv, cards.color * tint, cards.tile, cards.label, cards.gloss
    )


def bush_row(length: float, height: float, rng: np.random.Generator) -> Mesh:
    """A clipped hedge along x from 0 to `length`: a core box with leaf sprays on it."""
    tone = np.array([0.09, 0.19, 0.045]) * rng.uniform(0.7, 1.3)
    leaf = Material(tuple(tone), Tile.LEAF, labels.VEGETATION)
    parts = [box((length / 2, 0, height / 2), (length, 0.6, height), leaf)]
    for x in np.arange(0.3, length, 0.55):
        parts.append(_sprays(np.array([x, 0, height * 0.62]), height * 0.42, 10, leaf, rng))
    return join(parts)


def fence(length: float, rng: np.random.Generator) -> Mesh:
    """A low fence or garden wall along x from 0 to `length`."""
    if rng.random() < 0.5:
        color = tuple(np.array([0.42, 0.27, 0.18]) * rng.uniform(0.7, 1.2))
        return box((length / 2, 0, 0.5), (length, 0.25, 1.0), Material(color, Tile.PAVING, labels.WALL))
    boards = Material((0.30, 0.22, 0.15), Tile.WOOD, labels.FENCE)
    parts = [box((length / 2, 0, 0.65), (length, 0.04, 1.0), boards)]
    parts += [box((x, 0.05, 0.6), (0.1, 0.1, 1.25), boards) for x in np.arange(0.05, length, 2.0).tolist()]
    return join(parts)


def lamp(height: float) -> Mesh:
    """A street lamp at the origin whose arm reaches out along +y."""
    glow = Material((0.8, 0.8, 0.75), Tile.METAL, labels.POLE)
    return join(
        [
            tube((0, 0, 0), (0, 0, 1.1), (0.11, 0.1), 10, STEEL),
            tube((0, 0, 1.1), (0, 0, height), (0.075, 0.045), 10, STEEL),
            tube((0, 0, height), (0, 1.6, height + 0.35), (0.04, 0.035), 8, STEEL),
            box((0, 1.8, height + 0.35), (0.22, 0.6, 0.1), STEEL),
            box((0, 1.8, height + 0.29), (0.16, 0.45, 0.03), glow),
        ]
    )


def sign(kind: int, facing: float = np.pi) -> Mesh:
    """A traffic sign at the origin, readable to those who come along +x (`facing` pi) or -x (0).

    Args:
        kind: 0..15; modulo 4: round limit, triangular warning, round direction, octagonal stop.
        facing: heading of the plate's normal in rad.
    """
    sides, turn = ((24, 0.0), (3, np.pi / 2), (24, 0.0), (8, np.pi / 8))[kind % 4]
    angle = turn + 2 * np.pi * np.arange(sides) / sides
    round_, radius = np.stack([np.cos(angle), np.sin(angle)], axis=-1), 0.36 if sides != 3 else 0.45
    row, column = divmod(kind % (SIGN_COUNT * SIGN_COUNT), SIGN_COUNT)
    uv = (np.array([column, row]) + 0.5 + 0.485 * round_) / SIGN_COUNT
    plate = np.stack([np.zeros(sides), round_[:, 0], round_[:, 1]], axis=-1) * radius
    front = fan(plate + np.array([0.065, 0, 2.45]), Material((0, 0, 0), Tile.SIGN, labels.TRAFFIC_SIGN, 0.03), uv)
    back = fan(plate + np.array([0.05, 0, 2.45]), Material((0.4, 0.4, 0.41), Tile.METAL, labels.TRAFFIC_SIGN))
    pole = tube((0, 0, 0), (0, 0, 2.85), (0.035, 0.035), 8, STEEL)
    return join([front, back, pole]).placed(0, 0, facing)


def traffic_light() -> Mesh:
    """A traffic light at the origin for those who come along +x, showing green."""
    case = Material((0.03, 0.035, 0.03), Tile.METAL, labels.TRAFFIC_LIGHT)
    parts = [tube((0, 0, 0), (0, 0, 3.4), (0.06, 0.05), 10, STEEL), box((-0.12, 0, 2.9), (0.2, 0.34, 0.95), case)]
    for k, color in enumerate([(0.02, 0.7, 0.25), (0.12, 0.09, 0.01), (0.14, 0.01, 0.01)]):
        lens = Material(color, Tile.PAINT, labels.TRAFFIC_LIGHT, 0.1)
        at = (-0.225, 0, 2.6 + 0.3 * k)
        parts.append(tube(at, (at[0] - 0.02, 0, at[2]), (0.11, 0.11), 14, lens))
        parts.append(box((at[0] - 0.08, 0, at[2] + 0.125), (0.16, 0.24, 0.02), case))
    return join(parts)


def ground_strip(
    left: NDArray[np.float64], right: NDArray[np.float64], uv: NDArray[np.float64], material: Material
) -> Mesh:
    """A ribbon between two lines.

    Args:
        left: (N, 3) points in m.
        right: (N, 3) points in m.
        uv: (2, N, 2) texture coordinates of both lines in m.
        material: what it is made of.
    """
    a, b, c, d = right[:-1], right[1:], left[1:], left[:-1]
    ua, ub, uc, ud = uv[1, :-1], uv[1, 1:], uv[0, 1:], uv[0, :-1]
    corners = np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)])
    return triangles(
        corners, np.concatenate([np.stack([ua, ub, uc], axis=1), np.stack([ua, uc, ud], axis=1)]), material
    )
