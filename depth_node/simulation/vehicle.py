# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Cars, vans and people: the things that move, standing at the origin and facing along x (metres)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depth_node.simulation import labels
from depth_node.simulation.mesh import Material, Mesh, ball, box, cross, fan, join, smooth, tube
from depth_node.simulation.tiles import Tile

PAINTS = (
    (0.40, 0.40, 0.41), (0.03, 0.03, 0.035), (0.50, 0.50, 0.49), (0.33, 0.03, 0.03), (0.04, 0.08, 0.28),
    (0.20, 0.21, 0.22), (0.05, 0.16, 0.10), (0.42, 0.30, 0.05), (0.30, 0.36, 0.42), (0.25, 0.16, 0.10),
)  # fmt: skip
GLASS = Material((0.02, 0.025, 0.03), Tile.PAINT, labels.CAR, 0.3)
RUBBER = Material((0.02, 0.02, 0.02), Tile.CLOTH, labels.CAR)
RIM = Material((0.45, 0.45, 0.47), Tile.METAL, labels.CAR, 0.15)
TRIM = Material((0.035, 0.035, 0.038), Tile.CLOTH, labels.CAR)


@dataclass(frozen=True)
class Shape:
    """Side view of a car: hull stations (x, low, high, half width), and the cabin's outline, all in m."""

    stations: tuple[tuple[float, float, float, float], ...]
    cabin: tuple[tuple[float, float], ...]  # rear foot, rear roof, front roof, front foot as (x, z)
    axles: tuple[float, float]


SEDAN = Shape(
    ((-2.2, 0.42, 0.82, 0.66), (-2.14, 0.28, 0.93, 0.80), (-1.6, 0.22, 1.0, 0.87), (-0.4, 0.2, 0.96, 0.88),
     (0.9, 0.2, 0.95, 0.88), (1.7, 0.24, 0.86, 0.85), (2.1, 0.28, 0.74, 0.77), (2.2, 0.36, 0.66, 0.62)),
    ((-1.75, 0.97), (-1.05, 1.43), (0.15, 1.45), (1.0, 0.93)), (-1.32, 1.38),
)  # fmt: skip
HATCH = Shape(
    ((-1.98, 0.42, 0.95, 0.66), (-1.92, 0.28, 1.02, 0.80), (-1.4, 0.22, 1.04, 0.85), (-0.2, 0.2, 0.99, 0.86),
     (0.9, 0.2, 0.97, 0.86), (1.55, 0.24, 0.88, 0.83), (1.92, 0.28, 0.76, 0.75), (2.0, 0.36, 0.68, 0.6)),
    ((-1.93, 1.0), (-1.6, 1.46), (0.05, 1.52), (0.98, 0.95)), (-1.25, 1.28),
)  # fmt: skip
VAN = Shape(
    ((-2.45, 0.45, 1.1, 0.8), (-2.4, 0.3, 1.18, 0.9), (-1.6, 0.25, 1.2, 0.95), (0.0, 0.25, 1.2, 0.95),
     (1.3, 0.25, 1.15, 0.95), (2.0, 0.28, 1.02, 0.9), (2.4, 0.32, 0.85, 0.8), (2.46, 0.4, 0.72, 0.65)),
    ((-2.38, 1.15), (-2.3, 2.0), (0.9, 2.02), (1.95, 1.05)), (-1.5, 1.55),
)  # fmt: skip
SHAPES = (SEDAN, SEDAN, HATCH, HATCH, VAN)


def car(rng: np.random.Generator) -> Mesh:
    """A car of random shape and paint; its middle stands on the ground at the origin."""
    shape = SHAPES[rng.integers(len(SHAPES))]
    paint = Material(PAINTS[rng.integers(len(PAINTS))], Tile.PAINT, labels.CAR, 0.12)
    return join([_hull(shape, paint), _cabin(shape, paint), *_wheels(shape), *_lights(shape)])


def lorry(rng: np.random.Generator) -> Mesh:
    """A lorry or a coach of random size and colour; its middle stands on the ground at the origin."""
    length, width, height = rng.uniform(6, 13), rng.uniform(2.3, 2.55), rng.uniform(2.7, 4.0)
    body = Material(tuple(rng.uniform(0.05, 0.75, 3)), Tile.PAINT, labels.TRUCK, 0.05)
    cab = Material(PAINTS[rng.integers(len(PAINTS))], Tile.PAINT, labels.TRUCK, 0.1)
    glass = Material(GLASS.color, GLASS.tile, labels.TRUCK, GLASS.gloss)
    rubber = Material(RUBBER.color, RUBBER.tile, labels.TRUCK)
    red = Material((0.5, 0.02, 0.02), Tile.METAL, labels.TRUCK, 0.1)
    nose = length / 2
    parts = [
        box((-1.1, 0, 0.95 + (height - 0.95) / 2), (length - 2.4, width, height - 0.95), body),
        box((nose - 1.0, 0, 1.7), (1.9, width * 0.96, 2.3), cab),
        box((nose - 0.04, 0, 2.15), (0.06, width * 0.86, 0.9), glass),
        box((-0.4, 0, 0.75), (length - 1.0, width * 0.8, 0.35), rubber),
        box((-nose + 0.06, 0, 0.8), (0.1, width * 0.9, 0.2), red),
    ]
    for x in (nose - 1.3, -nose + 1.2, -nose + 2.5):
        for side in (-1.0, 1.0):
            y = side * (width / 2 - 0.15)
            parts.append(tube((x, y - 0.15, 0.5), (x, y + 0.15, 0.5), (0.5, 0.5), 16, rubber))
    return join(parts)


def _hull(shape: Shape, paint: Material) -> Mesh:
    """Rings of ten corners, one per station, with closed ends."""
    rings = []
    for x, low, high, half in shape.stations:
        side = np.array([[0.0, low], [0.8 * half, low], [0.97 * half, low + 0.1], [half, 0.5 * (low + high)]])
        side = np.vstack([side, [[0.97 * half, high - 0.1], [0.86 * half, high - 0.015], [0.0, high + 0.015]]])
        ring = np.vstack([side, side[-2:0:-1] * (-1, 1)])
        rings.append(np.column_stack([np.full(len(ring), x), ring]))
    count = len(rings[0])
    vertices = np.concatenate([*rings, [rings[0].mean(axis=0)], [rings[-1].mean(axis=0)]])
    faces, last = [], len(rings) * count
    for k in range(len(rings) - 1):
        for i in range(count):
            a, b = k * count + i, k * count + (i + 1) % count
            faces += [[a, a + count, b], [b, a + count, b + count]]
    for i in range(count):
        j = (i + 1) % count
        faces += [[last, i, j], [last + 1, last - count + j, last - count + i]]
    return smooth(vertices, faces, paint)


def _cabin(shape: Shape, paint: Material) -> Mesh:
    """Roof and pillars in paint, windows a finger's breadth outside them."""
    (x0, z0), (x1, z1), (x2, z2), (x3, z3) = shape.cabin
    foot = 0.84 * shape.stations[3][3] / 0.88 + 0.01
    top = foot - 0.17 if z1 < 1.8 else foot - 0.06
    feet_l, feet_r = np.array([[x0, foot, z0], [x3, foot, z3]]), np.array([[x0, -foot, z0], [x3, -foot, z3]])
    roof_l, roof_r = np.array([[x1, top, z1], [x2, top, z2]]), np.array([[x1, -top, z1], [x2, -top, z2]])
    rear = np.array([feet_r[0], feet_l[0], roof_l[0], roof_r[0]])
    front = np.array([feet_l[1], feet_r[1], roof_r[1], roof_l[1]])
    left = np.array([feet_l[1], roof_l[1], roof_l[0], feet_l[0]])
    right = np.array([feet_r[0], roof_r[0], roof_r[1], feet_r[1]])
    roof = np.array([roof_l[0], roof_l[1], roof_r[1], roof_r[0]])
    parts = [fan(face[::-1], paint) for face in (rear, front, left, right, roof)]
    parts += [fan(_inset(face, (0.07, 0.93), (0.12, 0.86)), GLASS) for face in (rear, front)]
    splits = ((0.10, 0.47), (0.53, 0.90)) if z1 < 1.8 else ((0.62, 0.93),)
    for face in (left[[3, 0, 1, 2]], right[[0, 3, 2, 1]]):
        parts += [fan(_inset(face, split, (0.1, 0.86)), GLASS) for split in splits]
    return join(parts)


def _inset(face: NDArray[np.float64], across: tuple[float, float], up: tuple[float, float]) -> NDArray[np.float64]:
    """Part of a quad (foot a, foot b, top b, top a), lifted 2 cm off it to the side away from the car's middle."""
    a, b, c, d = face
    corners = [
        (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c)
        for u, v in ((across[0], up[0]), (across[1], up[0]), (across[1], up[1]), (across[0], up[1]))
    ]
    normal = cross((b - a)[None], (d - a)[None])[0]
    normal /= np.linalg.norm(normal)
    outward = normal if normal @ (face.mean(axis=0) - [0, 0, 1.0]) > 0 else -normal
    return np.array(corners) + 0.02 * outward


def _wheels(shape: Shape) -> list[Mesh]:
    parts = []
    half = max(station[3] for station in shape.stations)
    for x in shape.axles:
        for side in (-1.0, 1.0):
            y = side * half
            parts.append(tube((x, y - side * 0.1, 0.33), (x, y + side * 0.004, 0.33), (0.385, 0.385), 20, TRIM))
            parts.append(tube((x, y - side * 0.2, 0.31), (x, y + side * 0.014, 0.31), (0.31, 0.31), 20, RUBBER))
            parts.append(tube((x, y, 0.31), (x, y + side * 0.022, 0.31), (0.2, 0.19), 12, RIM))
    return parts


def _lights(shape: Shape) -> list[Mesh]:
    red = Material((0.5, 0.02, 0.02), Tile.METAL, labels.CAR, 0.1)
    white = Material((0.75, 0.75, 0.7), Tile.METAL, labels.CAR, 0.2)
    plate = Material((0.7, 0.7, 0.66), Tile.KERB, labels.CAR)
    (rear, _, rear_top, rear_half), (nose, _, nose_top, nose_half) = shape.stations[0], shape.stations[-1]
    parts = []
    for side in (-1.0, 1.0):
        parts.append(box((rear + 0.02, side * (rear_half - 0.06), rear_top - 0.02), (0.14, 0.3, 0.15), red))
        parts.append(box((nose - 0.04, side * (nose_half - 0.02), nose_top - 0.01), (0.14, 0.3, 0.11), white))
    parts.append(box((rear, 0, rear_top - 0.12), (0.04, 0.5, 0.11), plate))
    parts.append(box((nose, 0, 0.5), (0.04, 0.5, 0.11), plate))
    parts.append(box((rear + 0.03, 0, 0.45), (0.14, 2 * rear_half + 0.12, 0.16), TRIM))
    parts.append(box((nose - 0.02, 0, nose_top - 0.1), (0.08, 0.9, 0.1), TRIM))
    return parts


def person(phase: float, rng: np.random.Generator) -> Mesh:
    """A walking person; `phase` in rad is where in the stride."""
    cloth = [Material(tuple(rng.uniform(0.03, 0.5, 3)), Tile.CLOTH, labels.PERSON) for _ in range(2)]
    skin = Material((0.45, 0.27, 0.18), Tile.PLAIN, labels.PERSON)
    hair = Material((0.06, 0.04, 0.03), Tile.CLOTH, labels.PERSON)
    swing = 0.28 * np.sin(phase)
    parts = [ball((0, 0, 1.18), (0.14, 0.21, 0.34), cloth[0], 1), ball((0, 0, 0.9), (0.13, 0.18, 0.16), cloth[1], 1)]
    parts += [ball((0.01, 0, 1.63), (0.1, 0.085, 0.125), skin, 1), ball((-0.02, 0, 1.68), (0.105, 0.09, 0.1), hair, 1)]
    for side in (-1.0, 1.0):
        step = swing * side
        parts.append(tube((0, side * 0.09, 0.9), (step * 0.6, side * 0.09, 0.48), (0.09, 0.07), 8, cloth[1]))
        parts.append(tube((step * 0.6, side * 0.09, 0.5), (step, side * 0.09, 0.06), (0.07, 0.05), 8, cloth[1]))
        parts.append(box((step + 0.05, side * 0.09, 0.04), (0.26, 0.1, 0.08), hair))
        parts.append(tube((0, side * 0.22, 1.42), (-step * 0.7, side * 0.25, 0.85), (0.055, 0.04), 8, cloth[0]))
    return join(parts)
