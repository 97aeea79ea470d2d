# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Anisotropic texture filtering: one atlas that holds every tile at all widths and heights (a ripmap).

Streets foreshorten along one texture axis far more than along the other, so each axis chooses its own level;
what is sampled is then band-limited to the pixel and does not shimmer when the camera moves.
Texels store the square root of linear light in 8 bits, in four channels: fixed RGB and the share to be tinted.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SIZE = 512
LEVELS = 10
GUTTER = 1
_ROW = 1024  # cv2.remap takes no more than 32767 columns: samples are folded into rows of this length


def fractal_noise(size: int, slope: float, rng: np.random.Generator) -> Floats:
    """Periodic noise (size, size) of zero mean and unit deviation whose amplitude falls as 1/f^slope."""
    spectrum = np.fft.rfft2(rng.standard_normal((size, size)))
    fy, fx = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    frequency = np.hypot(fx, fy)
    frequency[0, 0] = np.inf
    noise = np.fft.irfft2(spectrum * frequency**-slope, s=(size, size))
    return ((noise - noise.mean()) / noise.std()).astype(np.float32)


class Atlas:
    """All texture tiles with their ripmaps in one image."""

    def __init__(self, tiles: list[Floats], periods: list[tuple[float, float]]) -> None:
        """Build the levels.

        Args:
            tiles: each (SIZE, SIZE, 4) linear values in 0..1, periodic, rows along v and columns along u.
            periods: what each tile covers along u and v, in m.
        """
        widths = [(SIZE >> level) + 2 * GUTTER for level in range(LEVELS)]
        self._offsets = np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(np.float32)
        span = sum(widths)
        columns = int(np.ceil(np.sqrt(len(tiles))))
        rows = -(-len(tiles) // columns)
        self._image = np.zeros((rows * span, columns * span, 4), np.uint8)
        self._corner = np.array([[(k % columns) * span, (k // columns) * span] for k in range(len(tiles))], np.float32)
        self._density = (SIZE / np.asarray(periods, np.float64)).astype(np.float32)
        for (x, y), tile in zip(self._corner.astype(int), tiles, strict=True):
            self._place(tile, int(x), int(y), widths)

    def _place(self, tile: Floats, x: int, y: int, widths: list[int]) -> None:
        wide = np.sqrt(np.clip(tile, 0, 1))
        for i in range(LEVELS):
            level = wide
            for j in range(LEVELS):
                left, top = x + int(self._offsets[i]), y + int(self._offsets[j])
                _write(self._image[top : top + widths[j], left : left + widths[i]], level)
                level = (level[0::2] + level[1::2]) / 2 if j + 1 < LEVELS else level
            wide = (wide[:, 0::2] + wide[:, 1::2]) / 2 if i + 1 < LEVELS else wide

    def sample(self, tile: NDArray[np.int16], u: Floats, v: Floats, du: Floats, dv: Floats) -> Floats:
        """Filtered linear values.

        Args:
            tile: (N,) tile of each sample.
            u: (N,) texture coordinates in m; `v` likewise.
            v: see `u`.
            du: (N,) size of the sample's footprint along u in m; `dv` likewise along v.
            dv: see `du`.

        Returns:
            (N, 4) linear fixed red, green, blue and tinted share.
        """
        count = len(tile)
        density, corner = self._density[tile], self._corner[tile]
        level_u, part_u = _level(du * density[:, 0])
        level_v, part_v = _level(dv * density[:, 1])
        total = np.zeros((count, 4), np.float32)
        for i in (0, 1):
            x = self._coordinate(u * density[:, 0], level_u, i, corner[:, 0])
            weight_u = part_u if i else 1 - part_u
            for j in (0, 1):
                y = self._coordinate(v * density[:, 1], level_v, j, corner[:, 1])
                weight = weight_u * (part_v if j else 1 - part_v)
                total += self._fetch(x, y, count) * weight[:, None]
        total /= 255
        return total * total

    def _coordinate(self, texel: Floats, level: NDArray[np.intp], step: int, corner: Floats) -> Floats:
        chosen = np.minimum(level + step, LEVELS - 1)
        width = _WIDTHS[chosen]
        scaled = texel * (width / np.float32(SIZE))
        wrapped: Floats = corner + self._offsets[chosen] + np.float32(GUTTER - 0.5)
        wrapped += scaled - np.floor(scaled / width) * width
        return wrapped

    def _fetch(self, x: Floats, y: Floats, count: int) -> NDArray[np.uint8]:
        if count == 0:  # OpenCV refuses to look up nothing
            return np.zeros((0, 4), np.uint8)
        padding = -count % _ROW
        maps = [np.pad(a, (0, padding)).reshape(-1, _ROW).astype(np.float32) for a in (x, y)]
        texels = cv2.remap(self._image, maps[0], maps[1], cv2.INTER_LINEAR)
        return np.asarray(texels, np.uint8).reshape(-1, 4)[:count]


def _write(target: NDArray[np.uint8], level: Floats) -> None:
    """Put a level, in 0..1, inside a frame of the texels from its other sides."""
    target[1:-1, 1:-1] = cv2.convertScaleAbs(level, alpha=255).reshape(level.shape)
    target[0], target[-1] = target[-2], target[1]
    target[:, 0], target[:, -1] = target[:, -2], target[:, 1]


_WIDTHS = (SIZE / 2.0 ** np.arange(LEVELS)).astype(np.float32)


def _level(texels: Floats) -> tuple[NDArray[np.intp], Floats]:
    level = np.clip(np.log2(np.maximum(texels, 1e-6)), 0, LEVELS - 1)
    whole = level.astype(np.intp)
    return whole, (level - whole).astype(np.float32)
