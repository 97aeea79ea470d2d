# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The training record: one target frame, its neighbours in time, and the camera."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor

from depth_node.camera.network_input import to_network_input


@dataclass(frozen=True)
class Sample:
    """One triplet, or a batch of them with a leading B.

    Attributes:
        target: (H, W, 3) uint8 RGB as loaded; (3, H, W) float in 0..1 after `as_input`.
        sources: (S, H, W, 3) or (S, 3, H, W), neighbours in the order of the dataset's offsets, behind them the other
            picture of a stereo pair where the dataset has it.
        K: (3, 3) intrinsics at H x W, pixels.
        index: () position in the split, to find a frame again.
        distance: (2,) metres between the target's camera and each neighbour's, NaN where not known.
        baseline: () x of the target camera's centre in the stereo partner's frame, network units; NaN without one.
        mirrored: () bool, whether the depth network is to see the target mirrored, and only that.
        wanted: (1, H, W) what a teacher said of the target (see `TeacherLabels.read`); of width 0 without a teacher.
    """

    target: Tensor
    sources: Tensor
    K: Tensor
    index: Tensor
    distance: Tensor = field(default_factory=lambda: torch.full((2,), math.nan))
    baseline: Tensor = field(default_factory=lambda: torch.tensor(math.nan))
    mirrored: Tensor = field(default_factory=lambda: torch.tensor(False))
    wanted: Tensor = field(default_factory=lambda: torch.empty(1, 1, 0))

    def as_input(self) -> Sample:
        """Bytes to floats, once the sample is on its device: a quarter of the bytes to copy there."""
        return replace(self, target=to_network_input(self.target), sources=to_network_input(self.sources))

    def to(self, *args: Any, **kwargs: Any) -> Sample:
        """Move all tensors, as `Tensor.to`."""
        return Sample(*(getattr(self, field.name).to(*args, **kwargs) for field in fields(self)))

    def first(self, count: int) -> Sample:
        """The first ones of a batch."""
        return Sample(*(getattr(self, field.name)[:count] for field in fields(self)))

    def pin_memory(self) -> Sample:
        """Page-lock all tensors, for the data loader."""
        return Sample(*(getattr(self, field.name).pin_memory() for field in fields(self)))


def joined(batches: Sequence[Sample]) -> Sample:
    """One batch of several."""
    return Sample(*(torch.cat([getattr(batch, field.name) for batch in batches]) for field in fields(Sample)))


def collate(samples: Sequence[Sample] | Sample) -> Sample:
    """Stack samples into a batch; one that a dataset has made itself stays as it is."""
    if isinstance(samples, Sample):
        return samples
    return Sample(*(torch.stack([getattr(s, field.name) for s in samples]) for field in fields(Sample)))
