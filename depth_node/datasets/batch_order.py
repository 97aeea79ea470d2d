# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which samples each step of a run takes: a function of seed and step, so that a run can be resumed at any step."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import torch
from torch.utils.data import Sampler

from depth_node.datasets.randomness import Purpose, generator
from depth_node.distributed import rank, world_size


class BatchOrder(Sampler[list[int]]):
    """All batches of a run, epoch after epoch, each epoch in an order of its own; the rest of an epoch is left out.

    Each process gets its part of every global batch.

    Attributes:
        first: the step to begin with; more than 0 in a resumed run.
        steps: steps of the whole run.
        batch_size: of all processes together.
        steps_per_epoch: global batches in a pass over the samples.
    """

    def __init__(self, samples: int, batch_size: int, steps: int, seed: int) -> None:
        """Plan a run.

        Args:
            samples: how many there are, at least a batch.
            batch_size: of all processes together, a multiple of their number.
            steps: of the whole run.
            seed: decides the order.
        """
        self.first = 0
        self.steps = steps
        self.steps_per_epoch = samples // batch_size
        self._samples = samples
        self.batch_size = batch_size
        self._seed = seed
        self._order = lru_cache(maxsize=1)(self._draw)

    @property
    def places(self) -> range:
        """This process's places in a global batch."""
        share = self.batch_size // world_size()
        return range(rank() * share, (rank() + 1) * share)

    def epoch(self, step: int) -> int:
        """The pass over the samples that a step belongs to, from 0."""
        return step // self.steps_per_epoch

    def batch(self, step: int) -> list[int]:
        """The samples of this process in a step, from 0."""
        order = self._order(self.epoch(step))
        start = step % self.steps_per_epoch * self.batch_size
        return [order[start + place] for place in self.places]

    def __iter__(self) -> Iterator[list[int]]:
        """The batches from `first` to the end of the run."""
        return (self.batch(step) for step in range(self.first, self.steps))

    def __len__(self) -> int:
        """The batches that `__iter__` gives."""
        return max(self.steps - self.first, 0)

    def _draw(self, epoch: int) -> list[int]:
        order: list[int] = torch.randperm(self._samples, generator=generator(Purpose.ORDER, self._seed, epoch)).tolist()
        return order


def share_of_frames(count: int) -> range:
    """This process's part of frames 0 to `count`, a stretch: the first process has the first frames.

    Where there are fewer frames than processes each takes all of them, which changes no mean.
    """
    if count < world_size():
        return range(count)
    return range(rank() * count // world_size(), (rank() + 1) * count // world_size())
