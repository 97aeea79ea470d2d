# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Random mirroring and colour jitter of whole triplets, run on the device (docs/papers.md, Training settings)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional

from depth_node.config.training import AugmentConfig
from depth_node.datasets.randomness import Draws, Purpose
from depth_node.datasets.sample import Sample
from depth_node.geometry.intrinsics import flip_intrinsics

JITTERS = (
    functional.adjust_brightness,
    functional.adjust_contrast,
    functional.adjust_saturation,
    functional.adjust_hue,
)


class Augmentation:
    """Draws one mirroring and one jitter per triplet, the same for all its frames."""

    def __init__(self, config: AugmentConfig) -> None:
        self.config = config

    def mirror(self, batch: Sample, draws: Draws) -> Sample:
        """Mirror each triplet with the configured probability, intrinsics and baseline included.

        With `flip_depth_only` the triplets stay as they are: `mirrored` says which the depth network sees turned.
        """
        chosen = (draws.uniform(Purpose.MIRROR, 1)[:, 0] < self.config.flip).to(batch.target.device)
        if self.config.flip_depth_only:
            return replace(batch, mirrored=chosen)
        return replace(
            batch,
            target=mirror_chosen(batch.target, chosen),
            sources=mirror_chosen(batch.sources, chosen),
            K=_where(chosen, flip_intrinsics(batch.K, batch.target.shape[-1]), batch.K),
            baseline=torch.where(chosen, -batch.baseline, batch.baseline),
            wanted=mirror_chosen(batch.wanted, chosen),
        )

    def jitter(self, batch: Sample, draws: Draws) -> Sample:
        """Jitter the colours of each triplet with the configured probability."""
        frames = torch.cat([batch.target[:, None], batch.sources], 1)
        numbers = draws.uniform(Purpose.JITTER, 1 + 2 * len(JITTERS))
        mixed = [
            self._mix(triplet, drawn[1:]) if drawn[0] < self.config.jitter else triplet
            for triplet, drawn in zip(frames, numbers, strict=True)
        ]
        jittered = torch.stack(mixed)
        return replace(batch, target=jittered[:, 0], sources=jittered[:, 1:])

    def _mix(self, triplet: Tensor, drawn: Tensor) -> Tensor:
        """Four changes in a drawn order, each by a drawn amount, as torchvision's `ColorJitter`."""
        config = self.config
        spans = (config.brightness, config.contrast, config.saturation, config.hue)
        amounts, order = drawn.reshape(2, len(JITTERS))
        for number in order.argsort().tolist():
            if spans[number] > 0:
                change = float(2 * amounts[number] - 1) * spans[number]
                # Hue is shifted, everything else is multiplied.
                triplet = JITTERS[number](triplet, change if number == len(JITTERS) - 1 else 1 + change)
        return triplet


def mirror_chosen(images: Tensor, chosen: Tensor) -> Tensor:
    """Those of (B, ..., W) images mirrored left to right that `chosen` (B,) bool marks."""
    return _where(chosen, images.flip(-1), images)


def _where(chosen: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    return torch.where(chosen.reshape(-1, *[1] * (yes.ndim - 1)), yes, no)
