# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a network sees of rendered streets: random parts, rolled and mirrored, through random cameras; on the device."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.config.pretraining import LooksConfig

LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class StreetBatch:
    """Pictures with exact depth at the network's size.

    Attributes:
        image: (B, 3, H, W) float32 RGB in 0..1.
        depth: (B, 1, H, W) float32 metres times reference focal length / the picture's own: what the picture's camera
            would see as metres if it had the reference focal length. inf in the sky, 0 outside the rendered picture.
        labels: (B, H, W) uint8 class numbers, 255 outside.
    """

    image: Tensor
    depth: Tensor
    labels: Tensor

    def to(self, device: torch.device, non_blocking: bool = False) -> StreetBatch:
        """The same on another device."""
        image, depth, labels = (
            part.to(device, non_blocking=non_blocking) for part in (self.image, self.depth, self.labels)
        )
        return StreetBatch(image, depth, labels)


def look(
    images: Tensor,
    depths: Tensor,
    labels: Tensor,
    focal: Tensor,
    size: tuple[int, int],
    reference_focal: float,
    config: LooksConfig,
    generator: torch.Generator,
) -> StreetBatch:
    """Draw what a network sees of each picture.

    Args:
        images: (B, h, w, 3) uint8 RGB, on the device to work on.
        depths: (B, h, w) metres.
        labels: (B, h, w) uint8.
        focal: (B,) focal length of the pictures, pixels.
        size: (H, W) of the network.
        reference_focal: pixels at the network's size; depths are told for it.
        config: how much changes.
        generator: of the CPU; all is drawn from it.
    """
    grid, fy = _views(len(images), (images.shape[1], images.shape[2]), size, focal, config, generator)
    colors = images.permute(0, 3, 1, 2).float() / 255
    seen = F.grid_sample(colors, grid, mode="bilinear", padding_mode="border", align_corners=False)
    finite = torch.nan_to_num(depths.float(), posinf=6e4)[:, None]
    depth = F.grid_sample(finite, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    # 1 more than the class, so that what lies outside, 0, can be told from class 0.
    named = F.grid_sample(labels[:, None].float() + 1, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    own = torch.where(named[:, 0] > 0, named[:, 0] - 1, 255).to(torch.uint8)
    ratio = (reference_focal / fy).reshape(-1, 1, 1, 1)
    depth = torch.where(depth >= 6e4, math.inf, depth * ratio)
    return StreetBatch(_colors(seen, config, generator), depth, own)


def _views(
    count: int,
    source: tuple[int, int],
    size: tuple[int, int],
    focal: Tensor,
    config: LooksConfig,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Sampling grid (B, H, W, 2) of a random view of each picture, and its vertical focal length (B,) in pixels."""
    (h, w), (height, width) = source, size

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    across = uniform(config.crop, 1.0) * w
    squash = torch.exp(uniform(-0.1, math.log(config.squash)))
    down = (across * height / width * squash).clamp(max=0.98 * h)
    angle = uniform(-1, 1) * math.radians(config.roll)
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    center_x = w / 2 + uniform(-0.5, 0.5) * (w - across)
    center_y = h / 2 + uniform(-0.5, 0.5) * (h - down)
    # With bars: as much of the height, unsquashed, across more than there is, so that the sampling carries edges on.
    barred = torch.rand(count, generator=generator) < config.bars
    down = torch.where(barred, uniform(0.85, 0.98) * h, down)
    across = torch.where(barred, (down * width / height).clamp(min=w), across)
    center_x, center_y = torch.where(barred, w / 2, center_x), torch.where(barred, h / 2, center_y)
    device = focal.device
    y, x = torch.meshgrid(
        (torch.arange(height, device=device) + 0.5) / height - 0.5,
        (torch.arange(width, device=device) + 0.5) / width - 0.5,
        indexing="ij",
    )
    parts = (across * mirror, down, angle.cos(), angle.sin(), center_x, center_y)
    a, d, c, s, cx, cy = (part.to(device).reshape(-1, 1, 1) for part in parts)
    right, below = x * a, y * d
    grid = torch.stack([(cx + c * right - s * below) * 2 / w - 1, (cy + s * right + c * below) * 2 / h - 1], dim=-1)
    return grid, focal * (height / down).to(device)


def _colors(image: Tensor, config: LooksConfig, generator: torch.Generator) -> Tensor:
    """Another light, another sensor, another lens."""
    count, device = len(image), image.device

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        return (low + (high - low) * torch.rand(count, channels, 1, 1, generator=generator)).to(device)

    amount = config.color
    image = image * torch.exp(draw(-amount, amount)) * torch.exp(draw(-amount / 3, amount / 3, 3))
    image = image.clamp(1e-3, 1) ** torch.exp(draw(-amount, amount))
    mean = image.mean((1, 2, 3), keepdim=True)
    image = (image - mean) * torch.exp(draw(-amount, amount)) + mean
    grey = (image * torch.tensor(LUMA, device=device).reshape(1, 3, 1, 1)).sum(1, keepdim=True)
    share = torch.where(draw(0, 1) < config.grey, 0.0, 1.0) * draw(1 - amount, 1 + amount)
    image = grey + (image - grey) * share
    small = F.interpolate(image, scale_factor=0.5, mode="area")
    coarse = F.interpolate(small, image.shape[-2:], mode="bilinear", align_corners=False)
    blend = torch.where(draw(0, 1) < config.blur, draw(0, 1), torch.zeros(count, 1, 1, 1, device=device))
    image = image + (coarse - image) * blend
    # Drawn on the device: the numbers need not be those of another device, and there are many of them.
    image = image + torch.randn_like(image) * draw(0, config.noise)
    return image.clamp(0, 1)
