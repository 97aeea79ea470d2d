# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Random numbers that depend on seed, step and place in the global batch, and on nothing that came before.

A run that was killed and resumed, and one that is shared among several processes, so draw the same numbers as one that
ran through in one process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import torch
from torch import Tensor


class Purpose(IntEnum):
    """What numbers are drawn for: numbers for one purpose say nothing about those for another."""

    ORDER = 0
    MIRROR = 1
    JITTER = 2
    TRAINING_NOISE = 3
    VALIDATION_NOISE = 4
    ELSE = 5
    ZOOM = 6


def key_of(*parts: int) -> int:
    """One seed, 0 to 2^63 - 1, made of several numbers that are not negative."""
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0] >> np.uint64(1))


def generator(*parts: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh generator on a device, seeded with several numbers that are not negative."""
    return torch.Generator(device).manual_seed(key_of(*parts))


@dataclass(frozen=True)
class Draws:
    """What is drawn for one batch, each sample's numbers from generators of its own.

    Attributes:
        keys: a key for each sample of the batch.
        noise_for: what `noise` is for.
    """

    keys: Sequence[tuple[int, ...]]
    noise_for: Purpose = Purpose.TRAINING_NOISE
    _kept: dict[tuple[int, ...], Tensor] = field(default_factory=dict, repr=False)

    @classmethod
    def of_step(cls, seed: int, step: int, places: Sequence[int]) -> Draws:
        """Numbers for samples at the given places of the global batch of a training step."""
        return cls([(seed, step, place) for place in places])

    @classmethod
    def of_frames(cls, seed: int, indices: Sequence[int]) -> Draws:
        """Numbers for validation: those of a frame are always the same."""
        return cls([(seed, index) for index in indices], Purpose.VALIDATION_NOISE)

    def uniform(self, purpose: Purpose, count: int) -> Tensor:
        """(B, count) numbers from 0 to 1 on the CPU."""
        return torch.stack([torch.rand(count, generator=generator(purpose, *key)) for key in self.keys])

    def noise(self, like: Tensor) -> Tensor:
        """Standard normal numbers in the shape (B, ...), and on the device, of a tensor.

        Drawn once for each shape: ties at several scales may well be broken alike.
        """
        shape = tuple(like.shape)
        if shape not in self._kept:
            generators = [generator(self.noise_for, *key, device=like.device) for key in self.keys]
            drawn = [torch.randn(shape[1:], generator=each, device=like.device) for each in generators]
            self._kept[shape] = torch.stack(drawn)
        return self._kept[shape].to(like.dtype)
