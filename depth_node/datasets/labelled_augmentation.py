# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Random scale, crop, mirroring and colour jitter of labelled pictures, run on the device."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms.v2 import ColorJitter

from depth_node.config.semantic_training import STRIDE, SemanticTrainConfig

SMALLEST_SIDE = 2 * STRIDE
"""Below it the coarsest map would be a single pixel, which cannot be normalised."""


class LabelledAugmentation:
    """One scale per batch; crop, mirroring and jitter per picture.

    Scales below 1 give smaller batches, so that the network meets smaller inputs; above 1, crops of the full size.
    """

    def __init__(self, config: SemanticTrainConfig) -> None:
        self.config = config
        augment = config.augment
        self._jitter = ColorJitter(augment.brightness, augment.contrast, augment.saturation, augment.hue)

    def __call__(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Change a batch.

        Args:
            images: (B, 3, H, W) in 0..1.
            labels: (B, H, W) uint8.

        Returns:
            Both at one new size, a multiple of 32.
        """
        scale = self.config.smallest + float(torch.rand(())) * (self.config.largest - self.config.smallest)
        images, labels = _enlarge(images, labels, scale) if scale > 1 else _shrink(images, labels, scale)
        chosen = torch.rand(len(images), device=images.device) < self.config.augment.flip
        images = torch.where(chosen[:, None, None, None], images.flip(-1), images)
        labels = torch.where(chosen[:, None, None], labels.flip(-1), labels)
        jittered = [self._jitter(image) if torch.rand(()) < self.config.augment.jitter else image for image in images]
        return torch.stack(jittered), labels


def _shrink(images: Tensor, labels: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    height, width = (max(round(scale * side / STRIDE) * STRIDE, SMALLEST_SIDE) for side in images.shape[-2:])
    return _resize(images, labels, height, width)


def _enlarge(images: Tensor, labels: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """A window of 1 / scale of the size somewhere in each picture, brought to the full size."""
    height, width = images.shape[-2:]
    rows, columns = max(round(height / scale), 1), max(round(width / scale), 1)
    parts = []
    for image, label in zip(images, labels, strict=True):
        top = int(torch.randint(height - rows + 1, ()))
        left = int(torch.randint(width - columns + 1, ()))
        window = (..., slice(top, top + rows), slice(left, left + columns))
        parts.append(_resize(image[window][None], label[window][None], height, width))
    return torch.cat([image for image, _ in parts]), torch.cat([label for _, label in parts])


def _resize(images: Tensor, labels: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    if images.shape[-2:] == (height, width):
        return images, labels
    resized = F.interpolate(images, (height, width), mode="bilinear", align_corners=False, antialias=True)
    return resized, F.interpolate(labels[:, None], (height, width), mode="nearest-exact")[:, 0]
