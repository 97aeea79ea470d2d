# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pixel-adaptive 3x3 convolution as one Triton kernel, forward and backward; imported only where Triton is.

A tile of pixels times a tile of output channels is one program: for each of the nine taps it multiplies the shifted
pixels by that tap's weights on the tensor cores, scales the product by the pixels' kernel values and adds it up in
float32. Nothing is unfolded, and no weighed copy of the features is written.

Because the kernel values are symmetric, K(f_i, f_j) = K(f_j, f_i), the gradient of the features is the same operation
with mirrored and transposed weights.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

TAPS = 9
LARGEST_TILE = 64
"""Channels that one program multiplies at a time, in and out."""


@triton.jit  # type: ignore[untyped-decorator]
def _convolve(  # type: ignore[no-untyped-def]  # Triton reads annotations its own way
    features,
    affinity,
    weight,
    result,
    pixels,
    height,
    width,
    inputs,
    outputs,
    TILE: tl.constexpr,
    TILE_IN: tl.constexpr,
    TILE_OUT: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Features (P, C), affinity (4, P), weight (9, C, O), result (P, O); P runs over batch, rows, columns."""
    place = tl.program_id(0) * TILE + tl.arange(0, TILE)
    out = tl.program_id(1) * TILE_OUT + tl.arange(0, TILE_OUT)
    row, column = (place // width) % height, place % width
    total = tl.zeros((TILE, TILE_OUT), dtype=tl.float32)
    for tap in tl.static_range(9):
        down = tap // 3 - 1
        right = tap % 3 - 1
        inside = (place < pixels) & (row + down >= 0) & (row + down < height)
        inside = inside & (column + right >= 0) & (column + right < width)
        other = place + down * width + right
        part = tl.zeros((TILE, TILE_OUT), dtype=tl.float32)
        for first in range(0, inputs, TILE_IN):
            channel = first + tl.arange(0, TILE_IN)
            known = channel < inputs
            seen = tl.load(
                features + other[:, None] * inputs + channel[None, :], mask=inside[:, None] & known[None, :], other=0.0
            )
            mixed = tl.load(
                weight + (tap * inputs + channel[:, None]) * outputs + out[None, :],
                mask=known[:, None] & (out < outputs)[None, :],
                other=0.0,
            )
            part = tl.dot(seen, mixed, part, input_precision=PRECISION)
        # Taps 5 to 8 come after the pixel and find their value at it; 0 to 3 mirror them and find it at the other.
        if tap > 4:
            part = part * tl.load(affinity + (tap - 5) * pixels + place, mask=inside, other=0.0).to(tl.float32)[:, None]
        if tap < 4:
            part = part * tl.load(affinity + (3 - tap) * pixels + other, mask=inside, other=0.0).to(tl.float32)[:, None]
        total += part
    tl.store(
        result + place[:, None] * outputs + out[None, :],
        total.to(result.dtype.element_ty),
        mask=(place < pixels)[:, None] & (out < outputs)[None, :],
    )


@triton.jit  # type: ignore[untyped-decorator]
def _affinity_gradient(  # type: ignore[no-untyped-def]  # Triton reads annotations its own way
    features,
    gradient,
    weight,
    result,
    pixels,
    height,
    width,
    inputs,
    outputs,
    TILE: tl.constexpr,
    TILE_IN: tl.constexpr,
    TILE_OUT: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Features (P, C), gradient (P, O), weight (9, C, O), result (4, P): what each pair's kernel value did."""
    place = tl.program_id(0) * TILE + tl.arange(0, TILE)
    row, column = (place // width) % height, place % width
    for plane in tl.static_range(4):
        down = (plane + 5) // 3 - 1
        right = (plane + 5) % 3 - 1
        inside = (place < pixels) & (row + down < height) & (column + right >= 0) & (column + right < width)
        other = place + down * width + right
        total = tl.zeros((TILE,), dtype=tl.float32)
        for first in range(0, inputs, TILE_IN):
            channel = first + tl.arange(0, TILE_IN)
            known = channel < inputs
            mask = inside[:, None] & known[None, :]
            ahead = tl.load(features + other[:, None] * inputs + channel[None, :], mask=mask, other=0.0)
            here = tl.load(features + place[:, None] * inputs + channel[None, :], mask=mask, other=0.0)
            forth = tl.zeros((TILE, TILE_IN), dtype=tl.float32)
            back = tl.zeros((TILE, TILE_IN), dtype=tl.float32)
            for start in range(0, outputs, TILE_OUT):
                out = start + tl.arange(0, TILE_OUT)
                told = inside[:, None] & (out < outputs)[None, :]
                own = tl.load(gradient + place[:, None] * outputs + out[None, :], mask=told, other=0.0)
                its = tl.load(gradient + other[:, None] * outputs + out[None, :], mask=told, other=0.0)
                mask_w = known[None, :] & (out < outputs)[:, None]
                there = tl.load(
                    weight + ((plane + 5) * inputs + channel[None, :]) * outputs + out[:, None], mask=mask_w, other=0.0
                )
                return_ = tl.load(
                    weight + ((3 - plane) * inputs + channel[None, :]) * outputs + out[:, None], mask=mask_w, other=0.0
                )
                forth = tl.dot(own, there, forth, input_precision=PRECISION)
                back = tl.dot(its, return_, back, input_precision=PRECISION)
            total += tl.sum(forth * ahead.to(tl.float32) + back * here.to(tl.float32), axis=1)
        tl.store(result + plane * pixels + place, total.to(result.dtype.element_ty), mask=place < pixels)


def convolve(features: Tensor, affinity: Tensor, weight: Tensor) -> Tensor:
    """The convolution of `pixel_adaptive.pixel_adaptive_convolution`, 3x3 and without bias.

    Args:
        features: (B, C, h, w).
        affinity: (B, 4, h, w), of the features' type.
        weight: (O, C, 3, 3), of the features' type.

    Returns:
        (B, O, h, w), channels last.
    """
    batch, inputs, height, width = features.shape
    outputs = len(weight)
    flat, planes, mixed = _rows(features), _planes(affinity), _taps_first(weight)
    result = torch.empty(
        (batch, outputs, height, width), dtype=features.dtype, device=features.device, memory_format=torch.channels_last
    )
    pixels = batch * height * width
    tile = _tile(pixels, outputs)
    grid = (triton.cdiv(pixels, tile), triton.cdiv(outputs, _channels(outputs)))
    _convolve[grid](
        flat, planes, mixed, result, pixels, height, width, inputs, outputs,
        TILE=tile, TILE_IN=_channels(inputs), TILE_OUT=_channels(outputs), PRECISION=_precision(features),
    )  # fmt: skip
    return result


def feature_gradient(gradient: Tensor, affinity: Tensor, weight: Tensor) -> Tensor:
    """Gradient (B, C, h, w) of the features, from that of the result (B, O, h, w)."""
    return convolve(gradient, affinity, weight.flip(2, 3).transpose(0, 1).contiguous())


def affinity_gradient(features: Tensor, gradient: Tensor, weight: Tensor) -> Tensor:
    """Gradient (B, 4, h, w) of the kernel values, from that of the result (B, O, h, w)."""
    batch, inputs, height, width = features.shape
    outputs, pixels = len(weight), batch * height * width
    result = torch.empty((4, batch, height, width), dtype=features.dtype, device=features.device)
    tile = 32
    _affinity_gradient[(triton.cdiv(pixels, tile),)](
        _rows(features), _rows(gradient), _taps_first(weight), result, pixels, height, width, inputs, outputs,
        TILE=tile, TILE_IN=_channels(inputs), TILE_OUT=_channels(outputs), PRECISION=_precision(features),
    )  # fmt: skip
    return result.transpose(0, 1)


def weight_gradient(features: Tensor, affinity: Tensor, gradient: Tensor) -> Tensor:
    """Gradient (O, C, 3, 3) of the weights: one matrix product a tap over all pixels."""
    inputs, height, width = features.shape[1:]
    rows, there = _rows(gradient), features.permute(0, 2, 3, 1)
    padded = torch.nn.functional.pad(there, (0, 0, 1, 1, 1, 1))
    planes = torch.nn.functional.pad(affinity, (1, 1, 1, 1))
    taps = []
    for tap in range(TAPS):
        down, right = tap // 3 - 1, tap % 3 - 1
        y, x = 1 + down, 1 + right
        seen = padded[:, y : y + height, x : x + width]
        if tap > 4:
            seen = seen * affinity[:, tap - 5, :, :, None]
        elif tap < 4:
            seen = seen * planes[:, 3 - tap, y : y + height, x : x + width, None]
        taps.append(rows.t() @ seen.reshape(-1, inputs))
    return torch.stack(taps, -1).reshape(-1, inputs, 3, 3)


def _rows(maps: Tensor) -> Tensor:
    """(B, C, h, w) as (B h w, C), without a copy where the channels are last already."""
    return maps.permute(0, 2, 3, 1).contiguous().view(-1, maps.shape[1])


def _planes(affinity: Tensor) -> Tensor:
    return affinity.transpose(0, 1).contiguous()


def _taps_first(weight: Tensor) -> Tensor:
    """(O, C, 3, 3) as (9, C, O)."""
    return weight.permute(2, 3, 1, 0).contiguous()


def _channels(count: int) -> int:
    return min(max(triton.next_power_of_2(count), 16), LARGEST_TILE)


def _tile(pixels: int, outputs: int) -> int:
    """Pixels of a program: few where there would else be too few programs to fill a GPU."""
    return 128 if pixels >= 64 * 1024 and outputs <= LARGEST_TILE else 64 if pixels >= 16 * 1024 else 32


def _precision(features: Tensor) -> str:
    """How single precision is multiplied: as torch's own convolutions do it. Half precision is always exact."""
    return "ieee" if features.dtype == torch.float32 and not torch.backends.cudnn.allow_tf32 else "tf32"
