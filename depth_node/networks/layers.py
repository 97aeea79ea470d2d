# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Building blocks shared by the decoders."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from timm.layers import SqueezeExcite
from torch import Tensor, nn

HEAD_SPREAD = 0.01


class ConvElu(nn.Sequential):
    """3x3 convolution with reflected border, then ELU; keeps the size."""

    def __init__(self, inputs: int, outputs: int):
        conv = nn.Conv2d(inputs, outputs, 3, padding=1, padding_mode="reflect")
        nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        clear_bias(conv)
        super().__init__(conv, nn.ELU())


class FeatureSqueezeExcite(nn.Sequential):
    """HR-Depth's fSE: weighs a concatenation's channels and merges them (docs/papers.md, HR-Depth decoder).

    relu(W (s * x) + b) with s = sigmoid(W2 relu(W1 mean(x))), W1 to a sixteenth of the channels, no biases in W1, W2.
    """

    REDUCTION = 16

    def __init__(self, inputs: int, outputs: int):
        excite = SqueezeExcite(inputs, rd_channels=inputs // self.REDUCTION, bias=False)
        super().__init__(excite, nn.Conv2d(inputs, outputs, 1), nn.ReLU())


class DisparityHead(nn.Module):
    """3x3 convolution with reflected border to one channel, then sigmoid, never in less than float32.

    Half precision would round the disparity itself (half a bfloat16 step is 2e-3 near 0.5); the layer is too
    small to gain anything by it.
    """

    def __init__(self, inputs: int):
        super().__init__()
        self.conv = nn.Conv2d(inputs, 1, 3, padding=1, padding_mode="reflect")
        # Small weights: training starts from one flat depth instead of a random relief.
        nn.init.normal_(self.conv.weight, std=HEAD_SPREAD)
        clear_bias(self.conv)

    def forward(self, features: Tensor) -> Tensor:
        """Disparity (B, 1, h, w) in (0, 1), float32, of features (B, C, h, w)."""
        features = features.to(self.conv.weight.dtype)
        if torch.is_autocast_enabled(features.device.type):
            with torch.autocast(features.device.type, enabled=False):
                return torch.sigmoid(self.conv(features))
        return torch.sigmoid(self.conv(features))


def clear_bias(conv: nn.Conv2d) -> None:
    """Set a convolution's bias to zero, if it has one."""
    if conv.bias is not None:
        nn.init.zeros_(conv.bias)


def upsample(features: Tensor) -> Tensor:
    """Repeat every pixel twice in both directions: (B, C, h, w) to (B, C, 2h, 2w)."""
    return F.interpolate(features, scale_factor=2.0, mode="nearest")


def channels_last(network: nn.Module) -> None:
    """Lay the weights of all 2D convolutions out channels last, in place; those of 3D ones have no such layout."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.to(memory_format=torch.channels_last)
