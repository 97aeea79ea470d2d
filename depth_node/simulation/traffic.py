# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Who moves in the street, and where everyone is at a given time. Positions are closed formulas of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from depth_node.config.street import StreetConfig
from depth_node.simulation.mesh import Mesh, join
from depth_node.simulation.path import AHEAD, BEHIND, Path
from depth_node.simulation.street import Street, duration
from depth_node.simulation.vehicle import car, lorry, person

VISIBLE = 220.0  # distance up to which cars are drawn, m
VISIBLE_PERSON = 110.0
MARGIN = 45.0
STRIDES = 8
STOP = 12.0  # way from the ego vehicle's last place to the first car of a queue in its lane, m


@dataclass(frozen=True)
class Mover:
    """Something that goes along the street at a constant speed.

    Attributes:
        poses: its mesh in each phase of its stride (one for cars).
        start: street coordinate s at time 0 in m.
        speed: along s in m/s, negative against the street's direction.
        offset: distance to the left of the centre line in m.
        facing: 1 where it looks along s, -1 against it.
        height: of the ground it stands on, in m.
    """

    poses: tuple[Mesh, ...]
    start: float
    speed: float
    offset: float
    facing: int = 1
    height: float = 0.0

    def mesh_at(self, t: float, center: Path) -> Mesh:
        """Its mesh in the world at time `t` in s."""
        position, heading = center.beside(self.start + self.speed * t, self.offset)
        phase = int(t * abs(self.speed) / 1.4 * len(self.poses)) % len(self.poses)
        turned = float(heading) + (np.pi if self.facing < 0 else 0.0)
        return self.poses[phase].placed(float(position[0]), float(position[1]), turned, self.height)


class Traffic:
    """All movers of a drive, and the lead car."""

    def __init__(self, config: StreetConfig, street: Street) -> None:
        """Draw the traffic of the seed."""
        rng = np.random.default_rng([config.seed, 5])
        self._street, self._config = street, config
        self.lead = _vehicle(config, rng) if config.lead_car else None
        self._movers = [
            *_oncoming(config, street, rng),
            *_overtaking(config, street, rng),
            *_people(config, street, rng),
            *_queues(config, street),
        ]
        self._starts = np.array([mover.start for mover in self._movers])
        self._speeds = np.array([mover.speed for mover in self._movers])
        self._reach = np.array([VISIBLE if len(mover.poses) == 1 else VISIBLE_PERSON for mover in self._movers])

    def lead_pose(self, t: float) -> tuple[np.ndarray, float]:
        """Position (2,) in m and heading in rad of the lead car's middle at time `t` in s."""
        position, heading = self._street.ego.at(self._street.motion.way(t) + self._config.lead_gap)
        return position, float(heading)

    def mesh_at(self, t: float) -> Mesh | None:
        """Everything that moves and may be seen at time `t` in s, in the world frame; None when there is nothing."""
        way = self._street.motion.way(t)
        s = self._starts + self._speeds * t
        last = self._street.motion.way(duration(self._config)) + AHEAD - MARGIN
        shown = (np.abs(s - way) < self._reach) & (s > MARGIN - BEHIND) & (s < last)
        parts = [self._movers[k].mesh_at(t, self._street.center) for k in np.flatnonzero(shown)]
        if self.lead is not None:
            (x, y), heading = self.lead_pose(t)
            parts.append(self.lead.placed(float(x), float(y), heading))
        return self._street.hills.lifted(join(parts)) if parts else None


def _vehicle(config: StreetConfig, rng: np.random.Generator) -> Mesh:
    # Without lorries nothing is drawn for them, so that a street without them stays what it was.
    return lorry(rng) if config.lorries > 0 and rng.random() < config.lorries else car(rng)


def _oncoming(config: StreetConfig, street: Street, rng: np.random.Generator) -> list[Mover]:
    p = street.profile
    movers: list[Mover] = []
    for lane in range(p.lanes):
        speed = rng.uniform(8.0, 12.5)
        reach = street.motion.way(duration(config)) + AHEAD + speed * duration(config)
        s = rng.uniform(15, 60)
        while config.traffic > 0 and s < reach:
            movers.append(Mover((_vehicle(config, rng),), s, -speed, p.lane_width * (lane + 0.5), facing=-1))
            s += rng.uniform(18, 80) / config.traffic
    return movers


def _overtaking(config: StreetConfig, street: Street, rng: np.random.Generator) -> list[Mover]:
    p = street.profile
    movers: list[Mover] = []
    if p.lanes < 2:
        return movers
    speed = street.motion.mean + rng.uniform(2.5, 5.0)
    s = -(speed - street.motion.mean) * duration(config) - 80
    while config.traffic > 0 and s < 110:
        s += rng.uniform(16, 50) / config.traffic
        movers.append(Mover((_vehicle(config, rng),), s, speed, -p.lane_width * (p.lanes - 1.5)))
    return movers


def _people(config: StreetConfig, street: Street, rng: np.random.Generator) -> list[Mover]:
    p = street.profile
    movers: list[Mover] = []
    looks = []
    for _ in range(6):
        seed = int(rng.integers(2**31))
        strides = [person(2 * np.pi * k / STRIDES, np.random.default_rng(seed)) for k in range(STRIDES)]
        looks.append(tuple(strides))
    s, last = -BEHIND, street.motion.way(duration(config)) + AHEAD
    while config.pedestrians > 0:
        s += rng.exponential(14.0 / config.pedestrians) + 0.5
        if s > last:
            break
        side, direction = rng.choice([-1.0, 1.0]), rng.choice([-1.0, 1.0])
        offset = side * rng.uniform(min(p.kerb + 1.3, p.edge - 0.4), p.edge - 0.4)
        speed = direction * rng.uniform(0.9, 1.6)
        movers.append(Mover(looks[rng.integers(6)], s, speed, offset, int(direction), p.kerb_height))
    return movers


def _queues(config: StreetConfig, street: Street) -> list[Mover]:
    """Cars that stand in every lane, in the own one where the drive ends: they show how far a car on the road is."""
    # Draws of their own, so that a street without queues stays what it was.
    rng = np.random.default_rng([config.seed, 6])
    p = street.profile
    begin, end = MARGIN - BEHIND, street.motion.way(duration(config))
    lanes = [(p.lane_width * (lane + 0.5), -1, begin) for lane in range(p.lanes)]
    lanes += [(-p.lane_width * (lane + 0.5), 1, begin) for lane in range(p.lanes - 1)]
    lanes += [(p.own_lane, 1, end + STOP)]
    movers: list[Mover] = []
    for offset, facing, first in lanes if config.queue > 0 else []:
        s = first
        while s < end + AHEAD - MARGIN:
            if rng.random() < config.queue:
                movers.append(Mover((car(rng),), s, 0.0, offset + rng.uniform(-0.3, 0.3), facing))
            s += rng.uniform(6.0, 9.0)
    return movers
