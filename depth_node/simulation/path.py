# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where the street and its vehicles go: plane curves in the world frame (x ahead, y left, z up, metres)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from depth_node.config.street import StreetConfig

Array = NDArray[np.float64]
STEP = 0.25
BEHIND = 120.0
AHEAD = 420.0


@dataclass(frozen=True)
class Path:
    """A smooth plane curve, sampled densely and addressed by arc length.

    Attributes:
        start: arc length of the first sample in m.
        step: arc length between samples in m.
        points: (N, 2) positions in m.
        headings: (N,) direction of travel in rad, 0 along x, unwrapped.
    """

    start: float
    step: float
    points: Array
    headings: Array

    def at(self, s: ArrayLike) -> tuple[Array, Array]:
        """Position (..., 2) in m and heading (...) in rad at arc length `s` in m, held at the ends."""
        index = np.clip((np.asarray(s, dtype=np.float64) - self.start) / self.step, 0, len(self.points) - 1.001)
        low = index.astype(np.int64)
        part = index - low
        position = self.points[low] * (1 - part)[..., None] + self.points[low + 1] * part[..., None]
        return position, self.headings[low] * (1 - part) + self.headings[low + 1] * part

    def beside(self, s: ArrayLike, offset: ArrayLike) -> tuple[Array, Array]:
        """Like `at`, but `offset` metres to the left of the curve."""
        position, heading = self.at(s)
        left = np.stack([-np.sin(heading), np.cos(heading)], axis=-1)
        return position + left * np.asarray(offset, dtype=np.float64)[..., None], heading


def center_line(length: float, curvature: float, rng: np.random.Generator) -> Path:
    """The street's centre line: a heading made of a few slow waves, straight ahead on average.

    Args:
        length: driven length in m; the line goes on `AHEAD` m further and starts `BEHIND` m before.
        curvature: 0 straight, 1 bends of some 150 m radius.
        rng: source of the waves.
    """
    s = np.arange(-BEHIND, length + AHEAD, STEP)
    heading = np.zeros_like(s)
    for amplitude, low, high in ((0.20, 240.0, 420.0), (0.07, 110.0, 170.0)):
        wavelength = rng.uniform(low, high)
        phase = rng.uniform(0, 2 * np.pi)
        heading += curvature * amplitude * rng.uniform(0.6, 1.0) * np.sin(2 * np.pi * s / wavelength + phase)
    steps = STEP * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    points = np.concatenate([np.zeros((1, 2)), np.cumsum((steps[1:] + steps[:-1]) / 2, axis=0)])
    origin = points[round(BEHIND / STEP)]
    return Path(-BEHIND, STEP, points - origin, heading)


def vehicle_path(center: Path, lane: float, weave: float, length: float, rng: np.random.Generator) -> Path:
    """The curve of a car that keeps lane `lane` (m left of the centre line), swaying by `weave` m over some `length` m.

    The result is addressed by its own arc length, 0 beside the origin of the centre line.
    """
    s = center.start + center.step * np.arange(len(center.points))
    wavelength, phase = rng.uniform(0.75 * length, length * 4 / 3), rng.uniform(0, 2 * np.pi)
    points, _ = center.beside(s, lane + weave * np.sin(2 * np.pi * s / wavelength + phase))
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    along -= np.interp(0.0, s, along)
    even = np.arange(np.ceil(along[0] / STEP) * STEP, along[-1], STEP)
    even_points = np.stack([np.interp(even, along, points[:, k]) for k in (0, 1)], axis=-1)
    tangent = np.gradient(even_points, axis=0)
    return Path(float(even[0]), STEP, even_points, np.unwrap(np.arctan2(tangent[:, 1], tangent[:, 0])))


@dataclass(frozen=True)
class Motion:
    """Speed over time, v(t) = mean + variation sin(rate t + phase), never negative."""

    mean: float
    variation: float
    rate: float
    phase: float

    def speed(self, t: float) -> float:
        """Speed in m/s at time `t` in s."""
        return self.mean + self.variation * float(np.sin(self.rate * t + self.phase))

    def way(self, t: float) -> float:
        """Way driven since time 0 in m: the integral of `speed`."""
        swing = float(np.cos(self.phase) - np.cos(self.rate * t + self.phase))
        return self.mean * t + self.variation * swing / self.rate


def ego_motion(config: StreetConfig, rng: np.random.Generator) -> Motion:
    """The ego vehicle's speed profile."""
    mean = config.speed * rng.uniform(0.9, 1.1)
    return Motion(mean, min(config.speed_variation, mean), rng.uniform(0.25, 0.5), rng.uniform(0, 2 * np.pi))
