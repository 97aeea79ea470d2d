# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Decoders: five feature maps of an encoder to disparities at 1, 1/2, 1/4 and 1/8 of the input size.

A decoder can be guided: at each of its five levels (level i is 1 / 2^i of the input) it hands its features to `refine`
before it goes on with them.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from depth_node.config.network import SCALES
from depth_node.networks.guidance import Refine
from depth_node.networks.layers import ConvElu, DisparityHead, FeatureSqueezeExcite, upsample


def unguided(_: int, features: Tensor) -> Tensor:
    """The `refine` of a decoder without guidance."""
    return features


class Monodepth2Decoder(nn.Module):
    """monodepth2's U-Net decoder: per level a convolution, nearest upsampling, skip, convolution."""

    CHANNELS = (16, 32, 64, 128, 256)

    def __init__(self, channels: Sequence[int]):
        """Build it for encoder maps with these channels, finest first."""
        super().__init__()
        own = self.level_channels = self.CHANNELS
        above = (*own[1:], channels[-1])
        skips = (0, *channels[:-1])
        self.reduce = nn.ModuleList(ConvElu(above[i], own[i]) for i in range(5))
        self.merge = nn.ModuleList(ConvElu(own[i] + skips[i], own[i]) for i in range(5))
        self.heads = nn.ModuleList(DisparityHead(own[i]) for i in range(SCALES))

    def forward(self, maps: Sequence[Tensor], scales: int = SCALES, refine: Refine = unguided) -> list[Tensor]:
        """The `scales` finest disparities, finest first, each (B, 1, h, w) in (0, 1)."""
        x = maps[-1]
        disparities = []
        for level in range(4, -1, -1):
            x = upsample(self.reduce[level](x))
            if level > 0:
                x = torch.cat([x, maps[level - 1]], 1)
            x = refine(level, self.merge[level](x))
            if level < scales:
                disparities.append(self.heads[level](x))
        return disparities[::-1]


class DenseNode(nn.Module):
    """One node X_ij of HR-Depth's dense decoder: the coarser node X_(i+1)(j-1) joins all earlier ones of row i.

    The coarser node is halved in channels, upsampled and concatenated in front of the row; the result is fused by a
    3x3 convolution (after a 1x1 one where `squeeze` is given) or, at the end of a row, by fSE.
    """

    def __init__(self, coarse: int, row: Sequence[int], outputs: int, attention: bool, squeeze: bool):
        """Build it.

        Args:
            coarse: channels of the coarser node.
            row: channels of the earlier nodes of this row.
            outputs: channels of this node.
            attention: fuse by fSE.
            squeeze: reduce the concatenation to twice `outputs` by a 1x1 convolution without bias first.
        """
        super().__init__()
        self.halve = ConvElu(coarse, coarse // 2)
        total = coarse // 2 + sum(row)
        self.squeeze = nn.Conv2d(total, 2 * outputs, 1, bias=False) if squeeze else nn.Identity()
        fuse = FeatureSqueezeExcite if attention else ConvElu
        self.fuse = fuse(2 * outputs if squeeze else total, outputs)

    def forward(self, coarse: Tensor, row: Sequence[Tensor]) -> Tensor:
        """Features (B, outputs, h, w) from the coarser node (B, coarse, h/2, w/2) and this row's earlier ones."""
        merged = torch.cat([upsample(self.halve(coarse)), *row], 1)
        return self.fuse(self.squeeze(merged))


class HRDepthDecoder(nn.Module):
    """HR-Depth's decoder: dense skip connections, fSE at the end of each row (docs/papers.md, HR-Depth decoder).

    Node ij stands in row i (size 1 / 2^(i+1)) and column j; column 0 is the encoder.
    """

    # Column by column, so that every node finds its inputs ready.
    ORDER = ((0, 1), (1, 1), (2, 1), (3, 1), (0, 2), (1, 2), (2, 2), (0, 3), (1, 3), (0, 4))
    # The last node of each row, finest row first: their features carry the disparities.
    ENDS = ((0, 4), (1, 3), (2, 2), (3, 1))

    def __init__(self, channels: Sequence[int], squeeze: bool, dead_convolutions: bool = False):
        """Build it.

        Args:
            channels: channels of the five encoder maps, finest first.
            squeeze: 1x1 convolutions from column 2 on (the ResNet version; the Lite version has none).
            dead_convolutions: also make the four convolutions that the authors' code declares and never calls.
                Only of use to count parameters as they do; they get no gradient, which distributed training rejects.
        """
        super().__init__()
        width = (channels[0] // 2, *channels[1:])
        self.nodes = nn.ModuleDict()
        for i, j in self.ORDER:
            coarse = channels[i + 1] if j == 1 else width[i + 1]
            row = [channels[i]] + [width[i]] * (j - 1)
            attention = (i, j) in self.ENDS
            self.nodes[f"{i}{j}"] = DenseNode(coarse, row, width[i], attention, squeeze and j > 1 and not attention)
        half = width[0] // 2
        self.level_channels = (half, *width[:4])
        self.finish = nn.ModuleList([ConvElu(width[0], half), ConvElu(half, half)])
        self.heads = nn.ModuleList(DisparityHead(inputs) for inputs in (half, *width[:3]))
        if dead_convolutions:
            sources = (channels[0], width[0], width[0], width[0])
            self.dead = nn.ModuleList(ConvElu(source, source // 2) for source in sources)

    def forward(self, maps: Sequence[Tensor], scales: int = SCALES, refine: Refine = unguided) -> list[Tensor]:
        """The `scales` finest disparities, finest first, each (B, 1, h, w) in (0, 1)."""
        rows = [[tap] for tap in maps]
        for i, j in self.ORDER:
            node = self.nodes[f"{i}{j}"](rows[i + 1][j - 1], rows[i])
            rows[i].append(refine(i + 1, node) if (i, j) in self.ENDS else node)
        finest = refine(0, self.finish[1](upsample(self.finish[0](rows[0][-1]))))
        ends = [finest, *(row[-1] for row in rows[:3])]
        return [head(end) for head, end in zip(self.heads, ends[:scales], strict=False)]
