"""Random mirroring and colour jitter of whole triplets, run on the device (monodepth2 section 4; fact sheet B.6)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torchvision.transforms.v2 import ColorJitter

from depth_node.config.training import AugmentConfig
from depth_node.data.sample import Sample
from depth_node.geometry.intrinsics import flip_intrinsics


class Augmentation:
    """Draws one mirroring and one jitter per triplet, the same for all its frames."""

    def __init__(self, config: AugmentConfig) -> None:
        self.config = config
        self._jitter = ColorJitter(config.brightness, config.contrast, config.saturation, config.hue)

    def mirror(self, batch: Sample) -> Sample:
        """Mirror each triplet with the configured probability, intrinsics and baseline included.

        With `flip_depth_only` the triplets stay as they are: `mirrored` says which the depth network sees turned.
        """
        chosen = torch.rand(len(batch.target), device=batch.target.device) < self.config.flip
        if self.config.flip_depth_only:
            return replace(batch, mirrored=chosen)
        return replace(
            batch,
            target=mirror_chosen(batch.target, chosen),
            sources=mirror_chosen(batch.sources, chosen),
            K=_where(chosen, flip_intrinsics(batch.K, batch.target.shape[-1]), batch.K),
            baseline=torch.where(chosen, -batch.baseline, batch.baseline),
        )

    def jitter(self, batch: Sample) -> Sample:
        """Jitter the colours of each triplet with the configured probability."""
        frames = torch.cat([batch.target[:, None], batch.sources], 1)
        mixed = [self._jitter(triplet) if self._draw() else triplet for triplet in frames]
        jittered = torch.stack(mixed)
        return replace(batch, target=jittered[:, 0], sources=jittered[:, 1:])

    def _draw(self) -> bool:
        return bool(torch.rand(()) < self.config.jitter)


def mirror_chosen(images: Tensor, chosen: Tensor) -> Tensor:
    """Those of (B, ..., W) images mirrored left to right that `chosen` (B,) bool marks."""
    return _where(chosen, images.flip(-1), images)


def _where(chosen: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    return torch.where(chosen.reshape(-1, *[1] * (yes.ndim - 1)), yes, no)
