# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a street is: profile of the road, its centre line, the ways of its vehicles, all drawn from its seed.

Street coordinates: s along the centre line, d to the left of it, both in m. Traffic keeps to the right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from depth_node.config.street import StreetConfig
from depth_node.simulation.hills import Hills, draw_hills
from depth_node.simulation.mesh import Mesh
from depth_node.simulation.path import AHEAD, Motion, Path, center_line, ego_motion, vehicle_path

KERB_HEIGHT = 0.12


@dataclass(frozen=True)
class Profile:
    """Cross-section of the street, all in m; d is positive to the left.

    Attributes:
        lanes: driving lanes per direction.
        lane_width: width of one driving lane.
        parking: width of the parking lane on each side.
        sidewalk: width of each sidewalk with its kerb.
        gardens: depth of the front gardens on the left and on the right.
        crossings: s of the zebra crossings.
        kerb_height: how much higher than the road its surroundings lie.
    """

    lanes: int
    lane_width: float
    parking: float
    sidewalk: float
    gardens: tuple[float, float]
    crossings: tuple[float, ...]
    kerb_height: float = KERB_HEIGHT

    @property
    def driving(self) -> float:
        """Half the width of the driving lanes."""
        return self.lanes * self.lane_width

    @property
    def own_lane(self) -> float:
        """Middle of the ego vehicle's lane, the outermost on the right: negative."""
        return -self.lane_width * (self.lanes - 0.5)

    @property
    def kerb(self) -> float:
        """Distance of the kerbs from the centre line."""
        return self.driving + self.parking

    @property
    def edge(self) -> float:
        """Distance of the outer edge of the sidewalks from the centre line."""
        return self.kerb + self.sidewalk


@dataclass(frozen=True)
class Street:
    """A street with everything that does not move, and the ways of the vehicles.

    Attributes:
        profile: its cross-section.
        center: centre line, addressed by s.
        ego: path of the ego vehicle and of the lead car, by its own arc length.
        motion: the ego vehicle's speed.
        mesh: all that stands still, in the world frame; None where only the paths were asked for.
        sun: unit vector to the sun.
        hills: what lies under all of it.
    """

    profile: Profile
    center: Path
    ego: Path
    motion: Motion
    mesh: Mesh | None
    sun: NDArray[np.float64]
    hills: Hills


def duration(config: StreetConfig) -> float:
    """Time between first and last frame in s."""
    return (config.frames - 1) / config.rate


def build_paths(config: StreetConfig) -> Street:
    """The same street without its mesh: who needs only poses gets them at once."""
    rng = np.random.default_rng([config.seed, 1])
    motion = ego_motion(config, rng)
    length = motion.way(duration(config))
    profile = _PROFILES[config.surroundings](length, rng)
    center = center_line(length, config.curvature, rng)
    ego = vehicle_path(center, profile.own_lane, config.weave, config.weave_length, rng)
    azimuth, elevation = rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(32, 58))
    sun = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    return Street(profile, center, ego, motion, None, sun, draw_hills(config))


def _draw_town(length: float, rng: np.random.Generator) -> Profile:
    lanes = 2 if rng.random() < 0.4 else 1
    gardens = rng.choice([0.0, 0.0, 2.5, 5.0, 7.0], 2)
    crossings = np.arange(rng.uniform(30, 90), length + AHEAD, rng.uniform(110, 180))
    return Profile(
        lanes,
        rng.uniform(3.2, 3.7),
        2.2,
        rng.uniform(2.4, 4.2),
        (float(gardens[0]), float(gardens[1])),
        tuple(float(s) for s in crossings),
    )


def _draw_suburb(length: float, rng: np.random.Generator) -> Profile:
    return replace(_draw_town(length, rng), lanes=1, gardens=(rng.uniform(4, 9), rng.uniform(4, 9)))


def _draw_country(_: float, rng: np.random.Generator) -> Profile:
    width = rng.uniform(2.7, 3.5)
    return Profile(1, width, rng.uniform(0.2, 0.6), rng.uniform(0.8, 1.6), (0.0, 0.0), (), kerb_height=0.0)


def _draw_highway(_: float, rng: np.random.Generator) -> Profile:
    width, shoulder = rng.uniform(3.5, 3.8), rng.uniform(1.5, 3.2)
    return Profile(int(rng.integers(2, 5)), width, shoulder, 1.0, (0.0, 0.0), (), kerb_height=0.0)


_PROFILES = {"town": _draw_town, "suburb": _draw_suburb, "country": _draw_country, "highway": _draw_highway}
