# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""PackNet01: a depth network that resamples by packing instead of striding (docs/papers.md, PackNet)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from depth_node.config.network import SCALES
from depth_node.networks.decoders import unguided
from depth_node.networks.encoders import Encoder
from depth_node.networks.guidance import Refine
from depth_node.networks.layers import upsample
from depth_node.networks.packnet_layers import ConvNormElu, Pack, PackNetHead, ResidualConv, Unpack

NEAREST_DEPTH = 0.5
"""Depth at disparity 1 in the authors' network; the decoder passes inverse depth on, so its weights expect this."""


class PackNetEncoder(Encoder):
    """PackNet's encoder: RGB in [0, 1], taken as it is, to six maps at 1, 1/2, 1/4, 1/8, 1/16 and 1/32.

    There are no ImageNet weights for it, and it does without.
    """

    CHANNELS = (64, 64, 128, 256, 512)
    BLOCKS = (2, 2, 3, 3)
    """Residual convolutions at 1/2, 1/4, 1/8 and 1/16."""

    def __init__(self) -> None:
        """Build it with random weights."""
        super().__init__()
        own = self.CHANNELS
        self.pretrained = False
        self.stem = ConvNormElu(3, own[0], 5)
        self.stages = nn.ModuleList([ConvNormElu(own[0], own[0], 7)])
        for inputs, outputs, count in zip(own, own[1:], self.BLOCKS, strict=False):
            convs = [ResidualConv(inputs if i == 0 else outputs, outputs) for i in range(count)]
            self.stages.append(nn.Sequential(*convs))
        self.packs = nn.ModuleList(Pack(outputs, 5 if i == 0 else 3) for i, outputs in enumerate(own))
        self.channels = (own[0], *own)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Feature maps of an image.

        Args:
            image: (B, 3, H, W) RGB in [0, 1], H and W multiples of 32.

        Returns:
            One (B, channels[i], H / 2^i, W / 2^i) map per entry of `channels`.
        """
        # Live use may have cast the weights to half precision.
        return self.features(image.to(next(self.parameters()).dtype))

    def features(self, image: Tensor) -> list[Tensor]:
        """See `forward`; there is nothing to normalise."""
        maps = [self.stem(image)]
        for stage, pack in zip(self.stages, self.packs, strict=True):
            maps.append(pack(stage(maps[-1])))
        return maps


class PackNetDecoder(nn.Module):
    """PackNet's decoder: per level unpack, join the encoder's map and the coarser inverse depth, convolve.

    Attributes:
        level_channels: channels of its features at 1, 1/2, 1/4, 1/8 and 1/16 of the input size.
    """

    def __init__(self, channels: Sequence[int]):
        """Build it for encoder maps with these channels, six of them, finest first."""
        super().__init__()
        own = tuple(channels[1:])
        above = (*own[1:], channels[-1])
        # Levels 3 and 4 have no coarser disparity beneath them.
        joined = [own[i] + channels[i] + (1 if i < SCALES - 1 else 0) for i in range(5)]
        self.level_channels = own
        self.unpacks = nn.ModuleList(Unpack(above[i], own[i]) for i in range(5))
        self.merge = nn.ModuleList(ConvNormElu(joined[i], own[i]) for i in range(5))
        self.heads = nn.ModuleList(PackNetHead(own[i]) for i in range(SCALES))

    def forward(self, maps: Sequence[Tensor], scales: int = SCALES, refine: Refine = unguided) -> list[Tensor]:
        """Disparities of an encoder's maps.

        Args:
            maps: what `PackNetEncoder` returns.
            scales: how many to return. All four are computed, as each level builds on the coarser disparity.
            refine: called with a level (0 the full size to 4) and its features, gives the features to go on with.

        Returns:
            The `scales` finest disparities, finest first, each (B, 1, h, w) in (0, 1), float32.
        """
        x = maps[-1]
        disparities: list[Tensor] = []
        for level in range(4, -1, -1):
            parts = [self.unpacks[level](x), maps[level]]
            if disparities:
                parts.append(upsample(disparities[-1] / NEAREST_DEPTH).to(x.dtype))
            x = refine(level, self.merge[level](torch.cat(parts, 1)))
            if level < SCALES:
                disparities.append(self.heads[level](x))
        return disparities[: -scales - 1 : -1]
