# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pixel-adaptive convolution: a convolution whose taps are weighed by how alike the guides of two pixels are.

out_i = b + sum_j K(f_i, f_j) W[p_i - p_j] v_j,   K(f_i, f_j) = exp(-|f_i - f_j|^2 / (2 sigma^2))

v are the features, f the guide (docs/papers.md, Pixel-adaptive convolution). K is symmetric and 1 in the centre, so
half of the taps' distances are enough; they depend on the guide alone and are shared by all that is convolved with it.
A constant guide makes it an ordinary convolution.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depth_node.networks.layers import clear_bias
from depth_node.networks.pixel_adaptive_ops import PixelAdaptive, PixelDistances
from depth_node.networks.pixel_adaptive_tiles import half_window, shift

FEW_CHANNELS = 32
"""With fewer, a CPU multiplies matrices in single precision faster than in half."""


def pixel_distances(guide: Tensor, kernel: int = 3) -> Tensor:
    """Squared distance of every pixel's guide to those of its neighbours.

    Args:
        guide: (B, C, h, w).
        kernel: side of the window, odd.

    Returns:
        (B, (kernel^2 - 1) / 2, h, w), for the neighbours that come after a pixel in reading order; the others follow
        from symmetry. Neighbours outside the image count as zero.
    """
    # The sum over channels needs more bits than half precision has.
    guide = guide.float() if guide.dtype in (torch.float16, torch.bfloat16) else guide
    if _is_traced():
        return torch.stack([(guide - shift(guide, *o)).square().sum(1) for o in half_window(kernel)], 1)
    result: Tensor = PixelDistances.apply(guide, kernel)
    return result


def pixel_adaptive_convolution(
    features: Tensor, affinity: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """Convolve with zero padding and stride 1, each tap weighed by `affinity`.

    Args:
        features: (B, C, h, w), the v of the formula.
        affinity: (B, (k^2 - 1) / 2, h, w), the K of the formula in `pixel_distances`' order.
        weight: (O, C, k, k).
        bias: (O,).

    Returns:
        (B, O, h, w).
    """
    affinity, weight = affinity.to(features.dtype), weight.to(features.dtype)
    if _is_traced():
        result = _traceable(features, affinity, weight)
    elif features.device.type == "cpu" and weight.shape[1] < FEW_CHANNELS:
        wide = torch.promote_types(features.dtype, torch.float32)
        result = PixelAdaptive.apply(features.to(wide), affinity.to(wide), weight.to(wide)).to(features.dtype)
    else:
        result = PixelAdaptive.apply(features, affinity, weight)
    return result if bias is None else result + bias.to(features.dtype)[:, None, None]


def reference_convolution(
    features: Tensor, guide: Tensor, weight: Tensor, bias: Tensor | None = None, sigma: float = 1.0
) -> Tensor:
    """The formula of this module's head, word by word: slow, and what the fast form is tested against.

    Args:
        features: (B, C, h, w).
        guide: (B, G, h, w).
        weight: (O, C, k, k).
        bias: (O,).
        sigma: width of the Gaussian.
    """
    batch, channels, height, width = features.shape
    kernel = weight.shape[-1]

    def windows(maps: Tensor) -> Tensor:
        return F.unfold(maps, kernel, padding=kernel // 2).view(batch, maps.shape[1], kernel**2, height, width)

    distance = (windows(guide) - guide[:, :, None]).square().sum(1)
    affinity = torch.exp(-0.5 * distance / sigma**2)
    taps = windows(features) * affinity[:, None]
    result = torch.einsum("bcthw,oct->bohw", taps, weight.reshape(len(weight), channels, -1))
    return result if bias is None else result + bias[:, None, None]


class PixelAdaptiveConv2d(nn.Module):
    """A pixel-adaptive convolution with a learnable width sigma, one for the layer.

    Attributes:
        log_sigma: () natural logarithm of sigma.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, sigma: float = 1.0):
        """Build it.

        Args:
            inputs: channels of the features.
            outputs: channels of the result.
            kernel: side of the window, odd.
            sigma: width to start from, in units of the guide.

        Raises:
            ValueError: the kernel is not odd.
        """
        super().__init__()
        if kernel % 2 == 0:
            raise ValueError(f"a pixel-adaptive kernel must be odd, got {kernel}")
        # Only to hold the weights under their usual names; it is never called.
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        clear_bias(self.conv)
        self.log_sigma = nn.Parameter(torch.tensor(float(sigma)).log())

    def forward(self, features: Tensor, distances: Tensor) -> Tensor:
        """Convolve features (B, C, h, w), guided by the `pixel_distances` (B, n, h, w) of a guide at that size."""
        affinity = torch.exp(distances * (-0.5 * torch.exp(-2.0 * self.log_sigma)))
        return pixel_adaptive_convolution(features, affinity, self.conv.weight, self.conv.bias)


def _traceable(features: Tensor, affinity: Tensor, weight: Tensor) -> Tensor:
    """Shifts, products and one 1x1 convolution: operations that every exporter and compiler knows."""
    taps = {(0, 0): features}
    for values, (down, right) in zip(affinity.split(1, 1), half_window(weight.shape[-1]), strict=True):
        taps[down, right] = values * shift(features, down, right)
        taps[-down, -right] = shift(values * features, -down, -right)
    # Sorted, the offsets are in reading order, as are the weights.
    mixed = weight.permute(0, 2, 3, 1).reshape(len(weight), -1, 1, 1)
    return F.conv2d(torch.cat([taps[offset] for offset in sorted(taps)], 1), mixed)


def _is_traced() -> bool:
    return torch.compiler.is_compiling() or torch.jit.is_tracing() or torch.onnx.is_in_onnx_export()
