# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Building blocks of PackNet: convolutions with group normalisation, and packing (docs/papers.md, PackNet)."""

from __future__ import annotations

from typing import TypeVar

import torch.nn.functional as F
from torch import Tensor, nn

from depth_node.networks.layers import HEAD_SPREAD, DisparityHead, clear_bias

Conv = TypeVar("Conv", nn.Conv2d, nn.Conv3d)

GROUPS = 16
PACK_FEATURES = 8
"""Filters of the 3-D convolutions; each makes its own copy of all packed channels."""
FACTOR = 2
"""Packing and unpacking change the size by this much in both directions."""


class FloatGroupNorm(nn.GroupNorm):
    """Group normalisation in its parameters' type, float32, whatever the type of the features; keeps that type.

    Live use may run convolutions in half precision, and CUDA normalises only what has the type of the parameters.
    """

    def __init__(self, channels: int):
        super().__init__(GROUPS, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Normalised features (B, C, H, W)."""
        return super().forward(features.to(self.weight.dtype)).to(features.dtype)


class ConvNormElu(nn.Sequential):
    """Convolution with a border of zeros, group normalisation, ELU; keeps the size."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3):
        conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        super().__init__(start_small(conv), FloatGroupNorm(outputs), nn.ELU())


class ResidualConv(nn.Module):
    """Two convolutions beside a 1x1 one; the sum is normalised and activated."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.first = ConvNormElu(inputs, outputs)
        self.second = ConvNormElu(outputs, outputs)
        self.shortcut = start_small(nn.Conv2d(inputs, outputs, 1))
        self.norm = FloatGroupNorm(outputs)

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, outputs, H, W) of (B, inputs, H, W)."""
        return F.elu(self.norm(self.second(self.first(features)) + self.shortcut(features)))


class Pack(nn.Module):
    """Halve the size without dropping anything: space to channels, a 3-D convolution, then back to few channels."""

    def __init__(self, channels: int, kernel: int = 3):
        super().__init__()
        self.mix = start_small(nn.Conv3d(1, PACK_FEATURES, 3, padding=1))
        self.reduce = ConvNormElu(channels * FACTOR**2 * PACK_FEATURES, channels, kernel)

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, C, H / 2, W / 2) of (B, C, H, W)."""
        packed = F.pixel_unshuffle(features, FACTOR)
        return self.reduce(self.mix(packed.unsqueeze(1)).flatten(1, 2))


class Unpack(nn.Module):
    """Double the size, the way back: a convolution, a 3-D one, then channels to space."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.reduce = ConvNormElu(inputs, outputs * FACTOR**2 // PACK_FEATURES)
        self.mix = start_small(nn.Conv3d(1, PACK_FEATURES, 3, padding=1))

    def forward(self, features: Tensor) -> Tensor:
        """Features (B, outputs, 2 H, 2 W) of (B, inputs, H, W)."""
        mixed = self.mix(self.reduce(features).unsqueeze(1)).flatten(1, 2)
        return F.pixel_shuffle(mixed, FACTOR)


class PackNetHead(DisparityHead):
    """Disparity head with a border of zeros instead of a reflected one."""

    def __init__(self, inputs: int):
        super().__init__(inputs)
        self.conv = nn.Conv2d(inputs, 1, 3, padding=1)
        nn.init.normal_(self.conv.weight, std=HEAD_SPREAD)
        clear_bias(self.conv)


def start_small(conv: Conv) -> Conv:
    """Xavier's uniform weights and no bias, the start of all of PackNet's convolutions; returns the convolution."""
    nn.init.xavier_uniform_(conv.weight)
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)
    return conv
