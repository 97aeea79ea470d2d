# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pixel-adaptive convolution on the CPU: a few rows at a time, channels last, all taps in one matrix product.

The unfolded rows never leave the cache; unfolding the whole picture is bound by memory instead.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

TILE_BYTES = 3 << 20
"""Unfolded rows worked on at a time: they have to stay in the cache of a core."""


def half_window(kernel: int) -> tuple[tuple[int, int], ...]:
    """(down, right) of the window's pixels that come after its centre in reading order."""
    return tuple(offset for offset in _window(kernel) if offset > (0, 0))


def _window(kernel: int) -> tuple[tuple[int, int], ...]:
    reach = range(-(kernel // 2), kernel // 2 + 1)
    return tuple((down, right) for down in reach for right in reach)


def shift(maps: Tensor, down: int, right: int) -> Tensor:
    """Maps whose pixel (y, x) is the given one's (y + down, x + right), zero where that lies outside."""
    padded = F.pad(maps, (max(-right, 0), max(right, 0), max(-down, 0), max(down, 0)))
    height, width = maps.shape[-2:]
    return padded[..., max(down, 0) : max(down, 0) + height, max(right, 0) : max(right, 0) + width]


class Tiles:
    """Row tiles of the windows around all pixels.

    Attributes:
        padded: (B, h + k - 1, w + k - 1, C) features with their border of zeros.
        planes: (B, h, w, k^2, 1) kernel values of the whole window.
    """

    def __init__(self, features: Tensor, affinity: Tensor, kernel: int) -> None:
        """Lay out features (B, C, h, w) and half a window's affinity (B, n, h, w) channels last."""
        self._batch, self._channels, self._height, self._width = features.shape
        self._window, self._reach = _window(kernel), kernel // 2
        self._buffer: Tensor | None = None
        border = (0, 0) + (self._reach,) * 4
        self.padded = F.pad(features.permute(0, 2, 3, 1), border)
        self.planes = _whole_window(affinity, kernel).permute(0, 2, 3, 1).contiguous()[..., None]

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Picture, first row, row after the last, of each tile."""
        bytes_of_a_row = self._width * len(self._window) * self._channels * self.padded.element_size()
        rows = max(1, TILE_BYTES // bytes_of_a_row)
        for picture in range(self._batch):
            for top in range(0, self._height, rows):
                yield picture, top, min(top + rows, self._height)

    def at(self, padded: Tensor, tile: tuple[int, int, int], tap: int) -> Tensor:
        """(rows, w, C) view of a padded map: what a tap sees from the tile's pixels."""
        (picture, top, bottom), (down, right) = tile, self._window[tap]
        left = self._reach + right
        return padded[picture, top + self._reach + down : bottom + self._reach + down, left : left + self._width]

    def weigh(self, tile: tuple[int, int, int]) -> Tensor:
        """(rows, w, k^2, C) features seen from the tile's pixels times their kernel values; the next call reuses it."""
        picture, top, bottom = tile
        if self._buffer is None or len(self._buffer) < bottom - top:
            self._buffer = self.padded.new_empty(bottom - top, self._width, len(self._window), self._channels)
        used = self._buffer[: bottom - top]
        for tap in range(len(self._window)):
            torch.mul(self.at(self.padded, tile, tap), self.planes[picture, top:bottom, :, tap], out=used[:, :, tap])
        return used

    def unfold(self, tile: tuple[int, int, int]) -> Tensor:
        """(rows, w, k^2, C) features seen from the tile's pixels."""
        return torch.stack([self.at(self.padded, tile, tap) for tap in range(len(self._window))], 2)


def tiled_convolution(features: Tensor, affinity: Tensor, weight: Tensor) -> Tensor:
    """See `pixel_adaptive.pixel_adaptive_convolution`; without bias."""
    batch, _, height, width = features.shape
    tiles = Tiles(features, affinity, weight.shape[-1])
    flat = weight.permute(2, 3, 1, 0).reshape(-1, len(weight))
    result = features.new_empty(batch, height, width, len(weight))
    for tile in tiles:
        picture, top, bottom = tile
        torch.mm(tiles.weigh(tile).view(-1, len(flat)), flat, out=result[picture, top:bottom].view(-1, len(weight)))
    return result.permute(0, 3, 1, 2)


def tiled_gradients(
    features: Tensor, affinity: Tensor, weight: Tensor, gradient: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of features, affinity and weight from that of the result, (B, O, h, w)."""
    kernel, taps = weight.shape[-1], weight.shape[-1] ** 2
    tiles = Tiles(features, affinity, kernel)
    flat = weight.permute(2, 3, 1, 0).reshape(-1, len(weight))
    rows = gradient.permute(0, 2, 3, 1).contiguous()
    of_flat = torch.zeros_like(flat, dtype=torch.promote_types(flat.dtype, torch.float32))
    of_padded, of_planes = torch.zeros_like(tiles.padded), torch.empty_like(tiles.planes[..., 0])
    for tile in tiles:
        picture, top, bottom = tile
        seen, values = tiles.unfold(tile), tiles.planes[picture, top:bottom]
        arriving = rows[picture, top:bottom].reshape(-1, len(weight))
        of_flat += (seen * values).view(-1, len(flat)).T @ arriving
        pulled = (arriving @ flat.T).view(seen.shape)
        torch.sum(pulled * seen, -1, out=of_planes[picture, top:bottom])
        pulled *= values
        for tap in range(taps):
            tiles.at(of_padded, tile, tap).add_(pulled[:, :, tap])
    inner = slice(kernel // 2, -(kernel // 2))
    of_weight = of_flat.view(kernel, kernel, features.shape[1], -1).permute(3, 2, 0, 1).to(weight.dtype)
    return of_padded[:, inner, inner].permute(0, 3, 1, 2), _half_of(of_planes.permute(0, 3, 1, 2), kernel), of_weight


def _whole_window(affinity: Tensor, kernel: int) -> Tensor:
    """(B, k^2, h, w) kernel values of the whole window in reading order, from the half that comes after the centre."""
    ahead = list(affinity.unbind(1))
    behind = [shift(p, -down, -right) for p, (down, right) in zip(ahead, half_window(kernel), strict=True)]
    return torch.stack([*reversed(behind), torch.ones_like(affinity[:, 0]), *ahead], 1)


def _half_of(window: Tensor, kernel: int) -> Tensor:
    """The way back: what arrives at both places of a kernel value that two pixels share."""
    middle = kernel**2 // 2
    halves = [
        window[:, middle + 1 + plane] + shift(window[:, middle - 1 - plane], down, right)
        for plane, (down, right) in enumerate(half_window(kernel))
    ]
    return torch.stack(halves, 1)
