# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The newest frames of simulated streets, kept at hand; which ones a step sees depends on seed and step alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from depth_node.config.pretraining import LooksConfig, PretrainConfig, WorldsConfig
from depth_node.datasets.batch_order import BatchOrder
from depth_node.datasets.randomness import Purpose, generator
from depth_node.datasets.street_looks import StreetBatch, look
from depth_node.simulation.worlds import StreetFrames, render_streets

AS_RENDERED = LooksConfig(crop=1.0, squash=1.0, bars=0.0, roll=0.0, color=0.0, grey=0.0, blur=0.0, noise=0.0)
"""Held-out frames are seen whole and in their own colors."""


class StreetPool:
    """Frames in memory, filled in an order that does not depend on time.

    Attributes:
        count: frames that have come in so far.
    """

    def __init__(self, config: WorldsConfig, device: torch.device, folder: Path) -> None:
        """Make room; rendering starts with the first frames that are asked for.

        Args:
            config: which streets, and how many frames are kept.
            device: where to keep them.
            folder: of rendered streets.
        """
        size = (config.pool, config.height, config.width)
        self.config = config
        self.count = 0
        self.images = torch.zeros(*size, 3, dtype=torch.uint8, device=device)
        self.depths = torch.zeros(size, dtype=torch.float16, device=device)
        self.labels = torch.zeros(size, dtype=torch.uint8, device=device)
        self.focal = torch.zeros(config.pool, device=device)
        self._streets: Iterator[StreetFrames] = render_streets(config, folder)

    def fill_to(self, frames: float) -> None:
        """Wait until at least this many frames have come in, or all have."""
        total = self.config.streets * self.config.frames
        while self.count < min(frames, total):
            street = next(self._streets)
            for image, depth, labels in zip(street.images, street.depths, street.labels, strict=True):
                place = self.count % self.config.pool
                self.images[place] = torch.from_numpy(image)
                self.depths[place] = torch.from_numpy(depth)
                self.labels[place] = torch.from_numpy(labels)
                self.focal[place] = float(street.K[0, 0])
                self.count += 1

    def look(
        self, places: Tensor, size: tuple[int, int], focal: float, looks: LooksConfig, draws: torch.Generator
    ) -> StreetBatch:
        """What a network of (H, W) `size` sees of the frames at (B,) places, depths told for a focal length."""
        at = places.to(self.images.device)
        frames = (self.images[at], self.depths[at], self.labels[at], self.focal[at])
        return look(*frames, size, focal, looks, draws)


class StreetBatches:
    """The batches of a run, from the first step of its order on."""

    def __init__(
        self, config: PretrainConfig, size: tuple[int, int], focal: float, order: BatchOrder, pool: StreetPool
    ) -> None:
        """Prepare; nothing is rendered yet.

        Args:
            config: how to train.
            size: (H, W) of the network.
            focal: focal length that depths are told for, pixels at the network's size.
            order: says which steps are left.
            pool: of frames.
        """
        self.config, self.size, self.focal, self.order, self.pool = config, size, focal, order, pool

    def __iter__(self) -> Iterator[StreetBatch]:
        """A batch for each step that is left."""
        worlds = self.config.worlds
        for step in range(self.order.first, self.order.steps):
            self.pool.fill_to(worlds.start + worlds.per_step * (step + 1))
            draws = generator(Purpose.ELSE, self.config.seed, step)
            known = min(self.pool.count, worlds.pool)
            places = torch.randint(known, (self.config.batch_size,), generator=draws)
            # Noise is drawn on the device, by its own generator.
            torch.manual_seed(draws.initial_seed())
            yield self.pool.look(places, self.size, self.focal, self.config.looks, draws)


def held_out(
    config: PretrainConfig, size: tuple[int, int], focal: float, device: torch.device, folder: Path
) -> list[StreetBatch]:
    """Whole frames of the streets just before the first one: no step sees them."""
    worlds = config.worlds
    count = config.val_streets * worlds.frames
    own = dataclasses.replace(
        worlds, first=max(worlds.first - config.val_streets, 0), streets=config.val_streets, pool=count, start=count
    )
    pool = StreetPool(own, device, folder)
    pool.fill_to(count)
    draws = generator(Purpose.ELSE, config.seed, 0)
    places = torch.arange(count).split(config.batch_size)
    return [pool.look(part, size, focal, AS_RENDERED, draws) for part in places]
