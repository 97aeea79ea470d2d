# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Streets outside towns: suburbs with gardens, country roads between fields and woods, highways with rails.

What stands where is drawn at random from the street's seed, like a town's; nothing here changes a town.
"""

from __future__ import annotations

import numpy as np

from depth_node.simulation import labels
from depth_node.simulation.mesh import Material, Mesh, box, join
from depth_node.simulation.scenery import STEEL, bush_row, fence, house, lamp, sign
from depth_node.simulation.tiles import Tile
from depth_node.simulation.town import MODELS, TownBuilder
from depth_node.simulation.vehicle import car, lorry

CONCRETE = (0.55, 0.54, 0.51)


class SuburbBuilder(TownBuilder):
    """Low houses in gardens with gaps, hedges and trees between them."""

    def _houses(self, side: float, rng: np.random.Generator) -> None:
        garden = self.profile.gardens[0 if side > 0 else 1]
        s = self.begin + rng.uniform(0, 10)
        while s < self.end - 30:
            bays, floors = int(rng.integers(3, 6)), int(rng.integers(1, 3))
            width = 3.0 * bays
            start, turn = (s + width, np.pi) if side < 0 else (s, 0.0)
            setback = self.profile.edge + garden + rng.uniform(0, 4)
            self._put(house(bays, floors, rng.uniform(8, 12), rng), start, side * setback, turn, self.ground)
            edge = bush_row(width, rng.uniform(0.6, 1.9), rng) if rng.random() < 0.6 else fence(width, rng)
            if rng.random() < 0.8:
                self._put(edge, start, side * (self.profile.edge + 0.5), turn, self.ground)
            s += width + rng.uniform(4, 26)

    def _second_row(self, side: float, rng: np.random.Generator) -> None:
        self._wood(side, rng, self.profile.edge + rng.uniform(14, 25), rng.uniform(12, 40), rng.uniform(0.2, 0.8))


class CountryBuilder(TownBuilder):
    """Fields, hedges, woods and few farms beside a narrow road; rising and falling ground."""

    def build(self) -> Mesh:
        """See `TownBuilder.build`."""
        self._ground()
        for side in (1.0, -1.0):
            rng = np.random.default_rng([self.config.seed, 12, int(side > 0)])
            self._hill(side, rng, self.profile.edge + rng.uniform(0.5, 6), rng.uniform(-2.5, 7))
            self._borders(side, rng)
            self._wood(side, rng, self.profile.edge + rng.uniform(3, 25), rng.uniform(8, 60), rng.uniform(0.1, 1.0))
            self._farms(side, rng)
            self._posts(side, rng)
        return join(self.parts)

    def _borders(self, side: float, rng: np.random.Generator) -> None:
        """Stretches of hedge, fence or nothing along the road."""
        s, d = self.begin, side * (self.profile.edge + rng.uniform(0.5, 3.0))
        while s < self.end - 60:
            length = rng.uniform(10, 50)
            kind = rng.random()
            if kind < 0.35:
                for start in np.arange(s, s + length, 8.0).tolist():
                    self._put(bush_row(8.2, rng.uniform(0.8, 2.2), rng), start, d, 0.0, self.ground)
            elif kind < 0.6:
                for start in np.arange(s, s + length, 8.0).tolist():
                    self._put(fence(8.0, rng), start, d, 0.0, self.ground)
            s += length + rng.uniform(0, 30)

    def _farms(self, side: float, rng: np.random.Generator) -> None:
        s = self.begin + rng.uniform(0, 150)
        while s < self.end - 40:
            turn, depth = rng.uniform(0, 6), rng.uniform(8, 16)
            mesh = house(int(rng.integers(3, 8)), int(rng.integers(1, 4)), depth, rng)
            self._put(mesh, s, side * (self.profile.edge + rng.uniform(22, 60)), turn, self.ground - 0.5)
            s += rng.uniform(40, 260)

    def _posts(self, side: float, rng: np.random.Generator) -> None:
        """Reflector posts, now and then a sign or a line of poles."""
        post = box((0, 0, 0.5), (0.12, 0.12, 1.0), Material((0.8, 0.8, 0.78), Tile.PLAIN, labels.POLE))
        d = side * (self.profile.kerb + 0.5)
        for s in np.arange(self.begin + rng.uniform(0, 25), self.end, rng.choice([25.0, 50.0])).tolist():
            self._put(post, s, d, 0.0, self.ground)
        s = self.begin + rng.uniform(5, 80)
        while s < self.end:
            plate = sign(int(rng.integers(16)), np.pi if side < 0 else 0.0)
            self._put(plate, s, side * (self.profile.kerb + 0.9), 0.0, self.ground)
            s += rng.uniform(40, 160)
        if rng.random() < 0.4:
            mast = lamp(rng.uniform(6, 10))
            for s in np.arange(self.begin, self.end, rng.uniform(30, 50)).tolist():
                self._put(mast, s, side * (self.profile.edge + 1.5), np.pi if side > 0 else 0.0, self.ground)


class HighwayBuilder(TownBuilder):
    """Lanes between rails or walls, embankments, gantries, bridges, woods behind."""

    def build(self) -> Mesh:
        """See `TownBuilder.build`."""
        self._ground()
        rng = np.random.default_rng([self.config.seed, 13])
        self._barrier(0.0, rng, wall=rng.random() < 0.6)
        for side in (1.0, -1.0):
            rng = np.random.default_rng([self.config.seed, 12, int(side > 0)])
            start = self.profile.edge + rng.uniform(0.5, 6)
            self._hill(side, rng, start, rng.uniform(-5, 11))
            if rng.random() < 0.7:
                self._barrier(side * (self.profile.kerb + 0.4), rng, wall=rng.random() < 0.25)
            self._wood(side, rng, start + rng.uniform(2, 20), rng.uniform(10, 60), rng.uniform(0.0, 1.0))
            self._stopped(side, rng)
        self._across(np.random.default_rng([self.config.seed, 14]))
        return join(self.parts)

    def _barrier(self, d: float, rng: np.random.Generator, wall: bool) -> None:
        """A rail on posts or a concrete wall along the road."""
        if wall:
            height = rng.choice([0.9, 1.1, 3.5], p=[0.5, 0.3, 0.2]) if d else 0.9
            concrete = Material(CONCRETE, Tile.PLAIN, labels.WALL)
            self._strip((d + 0.15, height), (d - 0.15, height), concrete)
            for near, far in ((d + 0.15, d + 0.16), (d - 0.16, d - 0.15)):
                low_left = near > d
                self._strip((far, 0.0 if low_left else height), (near, height if low_left else 0.0), concrete)
            return
        rail = Material((0.5, 0.51, 0.52), Tile.METAL, labels.FENCE, 0.05)
        self._strip((d + 0.02, 0.45), (d - 0.02, 0.75), rail)
        self._strip((d + 0.02, 0.75), (d - 0.02, 0.45), rail)
        post = box((0, 0, 0.35), (0.1, 0.14, 0.7), STEEL)
        for s in np.arange(self.begin, self.end, 4.0).tolist():
            self._put(post, s, d, 0.0, 0.0)

    def _stopped(self, side: float, rng: np.random.Generator) -> None:
        """Few cars and lorries on the shoulder."""
        models = [car(rng) for _ in range(MODELS // 4)] + [lorry(rng) for _ in range(2)]
        d = side * (self.profile.driving + 0.5 * self.profile.parking)
        s = self.begin + rng.uniform(0, 150)
        while s < self.end and self.profile.parking > 2.0:
            self._put(models[rng.integers(len(models))], s, d, np.pi if side > 0 else 0.0)
            s += rng.uniform(60, 400)

    def _across(self, rng: np.random.Generator) -> None:
        """Bridges and gantries over the road."""
        reach = self.profile.edge + 2.0
        s = self.begin + rng.uniform(40, 250)
        while s < self.end:
            if rng.random() < 0.5:
                concrete = Material(CONCRETE, Tile.PLAIN, labels.BUILDING)
                depth = rng.uniform(6, 14)
                parts = [box((0, 0, 6.0), (depth, 2 * reach + 60, 1.4), concrete)]
                parts += [box((0, d, 2.6), (depth * 0.8, 1.0, 5.6), concrete) for d in (-reach, 0.0, reach)]
            else:
                board = Material((0.03, 0.2, 0.09), Tile.PLAIN, labels.TRAFFIC_SIGN)
                parts = [box((0, 0, 6.6), (0.4, 2 * reach, 0.5), STEEL)]
                parts += [box((0, d, 3.2), (0.35, 0.35, 6.6), STEEL) for d in (-reach, reach)]
                parts += [
                    box((-0.3, d, 6.4), (0.1, rng.uniform(2, 5), rng.uniform(1.5, 3)), board)
                    for d in rng.uniform(-reach + 3, reach - 3, 2)
                ]
            self._put(join(parts), s, 0.0)
            s += rng.uniform(120, 500)
