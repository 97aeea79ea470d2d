# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Semantic guidance of a depth decoder: guides made from frozen semantic maps, and the layers that they steer.

Each semantic map in use passes a head of its own; a guided level then follows its features by a pixel-adaptive
convolution (docs/papers.md, Semantic guidance). Where the semantic network has no map as fine as a level, the guide of
the finest one is interpolated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from depth_node.config.network import GuidanceConfig
from depth_node.networks.layers import clear_bias
from depth_node.networks.packnet_layers import FloatGroupNorm
from depth_node.networks.pixel_adaptive import PixelAdaptiveConv2d, pixel_distances

Refine = Callable[[int, Tensor], Tensor]
"""(level, features (B, C, h, w)) to features of the same shape."""

FINEST_MAP = 2
"""Semantic maps start at 1 / 2^2 of the input."""


class GuidanceHead(nn.Sequential):
    """3x3, then 1x1 convolution, each followed by group normalisation and ELU."""

    def __init__(self, inputs: int, outputs: int):
        wide, narrow = nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, outputs, 1)
        for conv in (wide, narrow):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
            clear_bias(conv)
        norms = FloatGroupNorm(outputs), FloatGroupNorm(outputs)
        super().__init__(wide, norms[0], nn.ELU(), narrow, norms[1], nn.ELU())

    def forward(self, maps: Tensor) -> Tensor:
        """The guide (B, outputs, h, w) of a semantic map (B, inputs, h, w), in the type of the weights."""
        maps = maps.to(next(self.parameters()).dtype)
        guide: Tensor = super().forward(maps)  # type: ignore[no-untyped-call]
        return guide


class GuidedLayer(nn.Module):
    """A pixel-adaptive convolution that keeps the number of channels, then (for PackNet) normalisation, then ELU."""

    def __init__(self, channels: int, config: GuidanceConfig, normalise: bool):
        super().__init__()
        # The formula's distance is a sum over channels, the setting's sigma is per channel.
        self.conv = PixelAdaptiveConv2d(channels, channels, config.kernel, config.sigma * math.sqrt(config.channels))
        self.norm = FloatGroupNorm(channels) if normalise else nn.Identity()
        self.activation = nn.ELU()

    def forward(self, features: Tensor, distances: Tensor) -> Tensor:
        """Features (B, C, h, w) of the same shape, steered by a guide's `pixel_distances` (B, n, h, w)."""
        refined: Tensor = self.activation(self.norm(self.conv(features, distances)))
        return refined

    def start_as_identity(self) -> None:
        """Let the layer pass its input through (but for ELU), to add it to a network that is already trained."""
        nn.init.dirac_(self.conv.conv.weight)
        clear_bias(self.conv.conv)


class Guidance(nn.Module):
    """All guidance of one depth network."""

    def __init__(
        self,
        config: GuidanceConfig,
        semantic_channels: Sequence[int],
        level_channels: Sequence[int],
        normalise: bool = False,
    ):
        """Build it.

        Args:
            config: which levels, and their kernels.
            semantic_channels: channels of the semantic maps at 1/4, 1/8, 1/16 and 1/32.
            level_channels: channels of the decoder's features at levels 0 to 4.
            normalise: group normalisation after each pixel-adaptive convolution.

        Raises:
            ValueError: there are no semantic maps.
        """
        super().__init__()
        if not semantic_channels:
            raise ValueError("guidance needs the channels of a semantic network's maps")
        self.kernel = config.kernel
        levels = config.level_numbers()
        self.source = {level: max(level - FINEST_MAP, 0) for level in levels}
        self.heads = nn.ModuleDict(
            {str(i): GuidanceHead(semantic_channels[i], config.channels) for i in sorted(set(self.source.values()))}
        )
        self.layers = nn.ModuleDict(
            {str(level): GuidedLayer(level_channels[level], config, normalise) for level in levels}
        )

    def start_as_identity(self) -> None:
        """Let every guided layer pass its input through, see `GuidedLayer.start_as_identity`."""
        for layer in self.modules():
            if isinstance(layer, GuidedLayer):
                layer.start_as_identity()

    def refiner(self, maps: Sequence[Tensor]) -> Refine:
        """What a decoder calls on its features, for one batch of images.

        Args:
            maps: (B, C, H / 2^(i+2), W / 2^(i+2)) semantic maps, finest first.
        """
        guides = {i: head(maps[int(i)]) for i, head in self.heads.items()}

        def refine(level: int, features: Tensor) -> Tensor:
            if level not in self.source:
                return features
            guide = guides[str(self.source[level])]
            if guide.shape[-2:] != features.shape[-2:]:
                guide = F.interpolate(guide, features.shape[-2:], mode="bilinear", align_corners=False)
            refined: Tensor = self.layers[str(level)](features, pixel_distances(guide, self.kernel))
            return refined

        return refine
