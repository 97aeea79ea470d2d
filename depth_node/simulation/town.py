# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A street in a town: houses wall to wall, parking lanes, sidewalks, lamps, trees."""

from __future__ import annotations

import numpy as np

from depth_node.config.street import StreetConfig
from depth_node.simulation import labels
from depth_node.simulation.mesh import Material, Mesh, join, panel
from depth_node.simulation.path import AHEAD, BEHIND, Path
from depth_node.simulation.scenery import bush_row, fence, ground_strip, house, lamp, sign, traffic_light, tree
from depth_node.simulation.street import KERB_HEIGHT, Profile
from depth_node.simulation.tiles import Tile
from depth_node.simulation.vehicle import car

STRIP_STEP = 2.0
HILL_STEP = 5.0
"""Length of the pieces of far ground where it is not level, m."""
MODELS = 16  # different parked cars and trees per side


class TownBuilder:
    """Collects the parts of one street in a town; every kind of thing has its own random stream."""

    def __init__(self, config: StreetConfig, profile: Profile, center: Path, length: float) -> None:
        self.config, self.profile, self.center = config, profile, center
        self.begin, self.end = -BEHIND + 30, length + AHEAD - 30
        self.ground = profile.kerb_height - 0.05
        self.parts: list[Mesh] = []

    def build(self) -> Mesh:
        """Everything that does not move."""
        self._ground()
        for side in (1.0, -1.0):
            rng = np.random.default_rng([self.config.seed, 2, int(side > 0)])
            self._houses(side, rng)
            self._second_row(side, rng)
            self._trees(side, rng)
            self._furniture(side, rng)
            self._parked(side, rng)
        self._far_end()
        return join(self.parts)

    def _put(self, mesh: Mesh, s: float, d: float, turn: float = 0.0, z: float = 0.0) -> None:
        position, heading = self.center.beside(s, d)
        self.parts.append(mesh.placed(float(position[0]), float(position[1]), float(heading) + turn, z))

    def _near_crossing(self, s: float, reach: float) -> bool:
        return any(abs(s - crossing) < reach for crossing in self.profile.crossings)

    def _ground(self) -> None:
        p = self.profile
        asphalt = Material((0.21, 0.21, 0.215), Tile.ASPHALT, labels.ROAD)
        stone = Material((0.52, 0.51, 0.49), Tile.KERB, labels.SIDEWALK)
        paving = Material((0.42, 0.40, 0.38), Tile.PAVING, labels.SIDEWALK)
        grass = Material((0.0, 0.0, 0.0), Tile.GRASS, labels.TERRAIN)
        if p.kerb_height == 0:  # an open road has a verge where a street has its sidewalk
            stone = paving = grass
        z, far = p.kerb_height, p.edge + 55.0
        self._strip((p.kerb, 0.0), (0.0, 0.0), asphalt)
        self._strip((0.0, 0.0), (-p.kerb, 0.0), asphalt)
        for side in (1.0, -1.0):
            lines = [
                (p.kerb, 0.0),
                (p.kerb + 0.02, z),
                (p.kerb + 0.2, z),
                (p.edge, z),
                (p.edge, z - 0.02),
                (far, z - 0.02),
            ]
            for (d0, z0), (d1, z1), material in zip(
                lines, lines[1:], (stone, stone, paving, stone, grass), strict=False
            ):
                ends = ((side * d1, z1), (side * d0, z0))
                self._strip(*(ends if side > 0 else ends[::-1]), material)
        plain = Material((0.0, 0.0, 0.0), Tile.GRASS, labels.TERRAIN)
        middle = self.center.at((self.begin + self.end) / 2)[0]
        reach = self.end - self.begin + 2500.0
        # One piece is enough where it is level.
        pieces = round(reach / HILL_STEP) if self.config.slope else 1
        for k in range(pieces):
            corner = (middle[0] - reach / 2 + k * reach / pieces, middle[1] - reach / 2, -0.4)
            self.parts.append(panel(corner, (reach / pieces, 0, 0), (0, reach, 0), plain, (k * reach / pieces, 0)))

    def _strip(self, left: tuple[float, float], right: tuple[float, float], material: Material) -> None:
        """A ribbon along the street between the lines (d, z) `left` and `right`; its texture is (s, d + z)."""
        s = np.arange(self.begin, self.end + STRIP_STEP, STRIP_STEP)
        lines, uv = [], []
        for d, z in (left, right):
            points, _ = self.center.beside(s, np.full_like(s, d))
            lines.append(np.column_stack([points, np.full_like(s, z)]))
            uv.append(np.column_stack([s, np.full_like(s, d + z)]))
        self.parts.append(ground_strip(lines[0], lines[1], np.array(uv), material))

    def _houses(self, side: float, rng: np.random.Generator) -> None:
        garden = self.profile.gardens[0 if side > 0 else 1]
        s = self.begin + 2
        floors_here = int(rng.integers(2, 5))
        while s < self.end - 30:
            bays, floors = int(rng.integers(3, 8)), int(np.clip(floors_here + rng.integers(-1, 2), 2, 6))
            width, depth = 3.0 * bays, rng.uniform(8, 13)
            setback = garden + (rng.uniform(0.0, 1.2) if garden else 0.02) + self._sagitta(width)
            # Seen from the road a house on the left runs against its own x axis: start at its far end.
            at, turn = (s + width, np.pi) if side < 0 else (s, 0.0)
            middle_d = side * (self.profile.edge + setback)
            heading = float(self.center.at(s + width / 2)[1])
            position, _ = self.center.beside(s + width / 2, middle_d)
            shift = -0.5 * width * np.array([np.cos(heading + turn), np.sin(heading + turn)])
            x, y = position + shift
            mesh = house(bays, floors, depth, rng)
            self.parts.append(mesh.placed(float(x), float(y), heading + turn, KERB_HEIGHT - 0.05))
            if garden > 2 and rng.random() < 0.75:
                edge = bush_row(width - 2, rng.uniform(0.7, 1.5), rng) if rng.random() < 0.5 else fence(width - 2, rng)
                self._put(
                    edge, at - 1 if side < 0 else at + 1, side * (self.profile.edge + 0.5), turn, KERB_HEIGHT - 0.05
                )
            gap = rng.choice([0.0, 0.0, 2.0, 5.0, 14.0], p=[0.3, 0.2, 0.2, 0.2, 0.1])
            s += width + float(gap) + 0.4

    def _sagitta(self, width: float) -> float:
        """How far a straight front of this width must step back so as not to cut into a bend of 140 m radius."""
        return width**2 / (8 * 140.0) * min(self.config.curvature, 1.5)

    def _second_row(self, side: float, rng: np.random.Generator) -> None:
        """Coarser houses and trees behind, so that gaps do not show an empty plain."""
        d = side * (self.profile.edge + 30)
        kinds = [tree(rng) for _ in range(MODELS // 2)]
        for s in np.arange(self.begin, self.end - 20, 26.0).tolist():
            if rng.random() < 0.6:
                turn = np.pi if side < 0 else 0.0
                self._put(house(int(rng.integers(4, 8)), int(rng.integers(2, 6)), 10.0, rng), s, d, turn)
            else:
                for _ in range(2):
                    kind = kinds[rng.integers(len(kinds))]
                    self._put(kind, s + rng.uniform(0, 20), d + side * rng.uniform(-6, 6), rng.uniform(0, 6))

    def _trees(self, side: float, rng: np.random.Generator) -> None:
        kinds = [tree(rng) for _ in range(7)]
        spacing = 13.0 / max(self.config.trees, 1e-6)
        s = self.begin + rng.uniform(0, 10)
        while s < self.end:
            if not self._near_crossing(s, 7) and rng.random() < 0.85:
                mesh = kinds[rng.integers(len(kinds))]
                self._put(mesh, s, side * (self.profile.kerb + 0.75), rng.uniform(0, 6), KERB_HEIGHT)
            s += spacing * rng.uniform(0.6, 1.5)

    def _furniture(self, side: float, rng: np.random.Generator) -> None:
        turn, d, post = (np.pi if side > 0 else 0.0), side * (self.profile.kerb + 0.45), lamp(7.0)
        for s in np.arange(self.begin + rng.uniform(0, 20), self.end, 29.0).tolist():
            self._put(post, s, d, turn, KERB_HEIGHT)
        s = self.begin + rng.uniform(5, 40)
        while s < self.end:
            plate = sign(int(rng.integers(16)), np.pi if side < 0 else 0.0)
            self._put(plate, s, side * (self.profile.kerb + 0.5), rng.uniform(-0.1, 0.1), KERB_HEIGHT)
            s += rng.uniform(14, 45)
        for crossing in self.profile.crossings:
            offset, facing = (-3.2, 0.0) if side < 0 else (3.2, np.pi)
            self._put(traffic_light(), crossing + offset, d, facing, KERB_HEIGHT)

    def _parked(self, side: float, rng: np.random.Generator) -> None:
        d = side * (self.profile.driving + 0.5 * self.profile.parking + 0.05)
        models = [car(rng) for _ in range(MODELS)]
        for s in np.arange(self.begin + rng.uniform(0, 6), self.end - 6, 6.2).tolist():
            mesh, jitter, angle = models[rng.integers(MODELS)], rng.uniform(-0.4, 0.4), rng.normal(0, 0.015)
            swapped = rng.random() < 0.08
            if rng.random() < self.config.parked and not self._near_crossing(s, 8):
                heading = (np.pi if side > 0 else 0.0) + (np.pi if swapped else 0.0)
                self._put(mesh, s + jitter, d, heading + angle)

    def _far_end(self) -> None:
        """Houses and trees across the end of the street, so that it does not run into nothing."""
        rng = np.random.default_rng([self.config.seed, 3])
        d = self.profile.edge + 40
        while d > -self.profile.edge - 40:
            bays = int(rng.integers(4, 8))
            d -= 3.0 * bays
            self._put(house(bays, int(rng.integers(3, 6)), 10, rng), self.end - 2, d + 3.0 * bays, -np.pi / 2)

    def _hill(self, side: float, rng: np.random.Generator, start: float, height: float) -> None:
        """Ground that rises (or falls) from `start` metres beside the centre line, evenly, then lies level."""
        grass = Material((0.0, 0.0, 0.0), Tile.GRASS, labels.TERRAIN)
        width = rng.uniform(8, 40)
        (d0, z0), (d1, z1) = (start, self.profile.kerb_height - 0.02), (start + width, height)
        d2, z2 = start + width + 120.0, height + rng.uniform(-4, 25)
        for (near, low), (far, high) in (((d0, z0), (d1, z1)), ((d1, z1), (d2, z2))):
            ends = ((side * far, high), (side * near, low))
            self._strip(*(ends if side > 0 else ends[::-1]), grass)

    def _wood(self, side: float, rng: np.random.Generator, start: float, width: float, density: float) -> None:
        """Trees and bushes at random from `start` to `start + width` metres beside the centre line."""
        kinds = [tree(rng) for _ in range(7)] + [bush_row(3.0, rng.uniform(1, 3), rng) for _ in range(2)]
        for _ in range(int(density * (self.end - self.begin) / 2.5)):
            s, d = rng.uniform(self.begin, self.end), start + width * rng.random() ** 1.5
            self._put(kinds[rng.integers(len(kinds))], s, side * d, rng.uniform(0, 6), rng.uniform(-0.4, 1.0))
