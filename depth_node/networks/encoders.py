# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Feature pyramids of the depth networks: RGB in [0, 1] to five maps at 1/2, 1/4, 1/8, 1/16 and 1/32.

Every encoder normalises its input itself, as (x - 0.45) / 0.225 with one scalar for all channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

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
        return self.features(((image - INPUT_MEAN) / INPUT_SPREAD).to(next(self.parameters()).dtype))

    def features(self, image: Tensor) -> list[Tensor]:
        """Feature maps of a normalised image; each encoder's own part."""
        raise NotImplementedError


class ResNetEncoder(Encoder):
    """ResNet-18 or -50 without classifier, tapped after the stem and after each of its four stages (B.1)."""

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
    """MobileNetV3-Large up to its last block of 160 channels, the encoder of Lite-HR-Depth (B.1).

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


def excite_before_activation(block: Any) -> None:
    """Move a timm block's activation from its depthwise normalisation to behind its squeeze-excitation.

    timm puts it before, HR-Depth after; blocks without squeeze-excitation are the same either way.
    """
    if not isinstance(block.se, nn.Identity):
        activation, block.bn2.act = block.bn2.act, nn.Identity()
        block.se = nn.Sequential(block.se, activation)
