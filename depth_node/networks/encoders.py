# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Feature pyramids of the depth networks: RGB in [0, 1] to five maps at 1/2, 1/4, 1/8, 1/16 and 1/32.

Every encoder normalises its input itself: the papers' as (x - 0.45) / 0.225 with one scalar for all channels, others
with the mean and spread that their ImageNet weights were trained with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import timm
import torch
from torch import Tensor, nn

from depth_node.errors import ConfigError, first_line
from depth_node.networks.pretrained import create_backbone

INPUT_MEAN = 0.45
INPUT_SPREAD = 0.225
RESNET_WEIGHTS = {18: "resnet18.tv_in1k", 50: "resnet50.tv_in1k"}
MOBILENET_WEIGHTS = "mobilenetv3_large_100.ra_in1k"


class Encoder(nn.Module):
    """Base of all encoders.

    Attributes:
        channels: channels of the maps that `forward` returns, finest first.
        pretrained: whether ImageNet weights were loaded.
    """

    channels: tuple[int, ...]
    pretrained: bool

    def forward(self, image: Tensor) -> list[Tensor]:
        """Feature maps of an image.

        Args:
            image: (B, C, H, W) in [0, 1], RGB (several images stacked along C for a pose network).

        Returns:
            One (B, channels[i], H / 2^(i+1), W / 2^(i+1)) map per entry of `channels`.
        """
        # Live use may have cast the weights to half precision.
        return self.features(self.normalize(image).to(next(self.parameters()).dtype))

    def normalize(self, image: Tensor) -> Tensor:
        """The image as the encoder's weights want it."""
        return (image - INPUT_MEAN) / INPUT_SPREAD

    def features(self, image: Tensor) -> list[Tensor]:
        """Feature maps of a normalised image; each encoder's own part."""
        raise NotImplementedError


class ResNetEncoder(Encoder):
    """ResNet-18 or -50 without classifier, tapped after the stem and after each of its four stages."""

    def __init__(self, depth: int = 18, images: int = 1, pretrained: bool = False, taps: Sequence[int] = range(5)):
        """Build it.

        Args:
            depth: 18 or 50 layers.
            images: RGB images stacked along the channels; with ImageNet weights the first convolution is
                repeated and divided by their number, so that equal images give the features of one.
            pretrained: load ImageNet weights.
            taps: which of the five maps to return.
        """
        super().__init__()
        self.backbone, self.pretrained = create_backbone(
            RESNET_WEIGHTS[depth], pretrained, features_only=True, out_indices=tuple(taps), in_chans=3 * images
        )
        self.channels = tuple(self.backbone.feature_info.channels())

    def features(self, image: Tensor) -> list[Tensor]:
        """See `Encoder.features`."""
        return list(self.backbone(image))


class MobileNetV3Encoder(Encoder):
    """MobileNetV3-Large up to its last block of 160 channels, the encoder of Lite-HR-Depth.

    Taps 1 to 3 come right after the block that opens a stage, so the rest of that stage belongs to the next tap.
    """

    # Blocks 0 to 14 follow the stem; HR-Depth counts the stem as 0, hence its slices are one higher.
    STAGES = ((0, 2), (2, 4), (4, 7), (7, 15))

    def __init__(self, pretrained: bool = False, timm_se_order: bool = False):
        """Build it.

        Args:
            pretrained: load ImageNet weights; where they were had, timm's order is kept, as they need it.
            timm_se_order: squeeze-excitation after the second activation (timm) instead of before it (HR-Depth).
        """
        super().__init__()
        whole, self.pretrained = create_backbone(MOBILENET_WEIGHTS, pretrained)
        self.timm_se_order = timm_se_order or self.pretrained
        blocks = [block for stage in whole.blocks[:6] for block in stage]
        if not self.timm_se_order:
            for block in blocks:
                excite_before_activation(block)
        stem = nn.Sequential(whole.conv_stem, whole.bn1)
        self.stages = nn.ModuleList([stem, *(nn.Sequential(*blocks[first:last]) for first, last in self.STAGES)])
        self.channels = (16, 24, 40, 80, 160)

    def features(self, image: Tensor) -> list[Tensor]:
        """See `Encoder.features`."""
        maps = []
        for stage in self.stages:
            image = stage(image)
            maps.append(image)
        return maps


class TimmEncoder(Encoder):
    """Any timm model with maps at the five strides 2 to 32, such as 'tf_efficientnet_lite0'."""

    STRIDES = (2, 4, 8, 16, 32)
    statistics: Tensor

    def __init__(self, name: str, pretrained: bool = False):
        """Build it.

        Args:
            name: timm model, with or without the tag of its weights.
            pretrained: load ImageNet weights where they can be had.

        Raises:
            ConfigError: timm has no such model, or it lacks one of the strides.
        """
        super().__init__()
        if not timm.is_model(name):
            near = ", ".join(timm.list_models(f"*{name.partition('.')[0].split('_')[0]}*")[:4])
            raise ConfigError(f"timm has no model '{name}'" + (f": did you mean one of {near}?" if near else ""))
        try:
            self.backbone, self.pretrained = create_backbone(name, pretrained, features_only=True)
        except (RuntimeError, AttributeError, TypeError) as error:
            raise ConfigError(f"network.encoder {name} gives no maps of features: {first_line(error)}") from None
        info = self.backbone.feature_info
        if tuple(info.reduction()) != self.STRIDES:
            raise ConfigError(f"network.encoder {name} has maps at {tuple(info.reduction())}, wanted {self.STRIDES}")
        self.channels = tuple(info.channels())
        known = timm.get_pretrained_cfg(name)
        statistics = (known.mean, known.std) if known else ((INPUT_MEAN,) * 3, (INPUT_SPREAD,) * 3)
        self.register_buffer("statistics", torch.tensor(statistics).reshape(2, 3, 1, 1), persistent=False)

    def normalize(self, image: Tensor) -> Tensor:
        """By the mean and spread of the pictures that the published weights were trained on."""
        return (image - self.statistics[0]) / self.statistics[1]

    def features(self, image: Tensor) -> list[Tensor]:
        """See `Encoder.features`."""
        return list(self.backbone(image))


def excite_before_activation(block: Any) -> None:
    """Move a timm block's activation from its depthwise normalisation to behind its squeeze-excitation.

    timm puts it before, HR-Depth after; blocks without squeeze-excitation are the same either way.
    """
    if not isinstance(block.se, nn.Identity):
        activation, block.bn2.act = block.bn2.act, nn.Identity()
        block.se = nn.Sequential(block.se, activation)
