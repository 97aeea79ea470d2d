# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which part of a picture a network sees, and how large things look to it beside the pictures that it learnt from.

A network knows pixels, not rays: something that looks twice as large is to it half as far away, whatever the lens. So
depth has to be multiplied by the ratio of focal lengths at the network's input, this camera's to the training
camera's; and a picture of another shape must not be squeezed into the network's, or the two ratios differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from depth_node.config.fit import FITS
from depth_node.errors import CalibrationError, EncodingError
from depth_node.geometry.intrinsics import scale_intrinsics

if TYPE_CHECKING:
    from torch import Tensor

    Pixels = TypeVar("Pixels", Tensor, NDArray[Any])
    """A view is cut and placed in either library's arrays by the same slices."""

SAME_SHAPE = 0.02
"""Relative difference in shape up to which a picture is squeezed all the same: less than drives of one car differ."""


class TrainingCamera(NamedTuple):
    """The camera that the training images came from: size and intrinsics in pixels at the network's input size."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    @property
    def degrees(self) -> float:
        """From the left side of its pictures to the right."""
        sides = math.atan((self.cx + 0.5) / self.fx) + math.atan((self.width - self.cx - 0.5) / self.fx)
        return math.degrees(sides)


class Region(NamedTuple):
    """A rectangle of whole pixels."""

    left: int
    top: int
    width: int
    height: int

    def cut(self, image: Pixels) -> Pixels:
        """The rectangle of (H, W, ...) pixels, a view."""
        return image[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True)
class NetworkView:
    """The part of a picture that fills a part of the network's input.

    Attributes:
        picture: height and width of the picture.
        window: what is seen of it.
        size: height and width of the network's input.
        target: what of it the window fills.
        focal_ratio: this camera's focal length beside the training camera's, both at the network's input; depth is
            to be multiplied by it. 1 where either is unknown.
    """

    picture: tuple[int, int]
    window: Region
    size: tuple[int, int]
    target: Region
    focal_ratio: float = 1.0

    @property
    def is_whole(self) -> bool:
        """Whether all of the picture is seen."""
        return (self.window.height, self.window.width) == self.picture

    def of(self, image: Pixels, resize: Callable[[Pixels, int, int], Pixels]) -> Pixels:
        """The network's input (h, w, 3) uint8 of a picture (H, W, 3) uint8; edges are carried on into empty bars.

        Args:
            image: the picture.
            resize: takes pixels, height and width, see `camera.network_input` and `camera.array_input`.
        """
        resized = resize(self.window.cut(image), self.target.height, self.target.width)
        height, width = self.size
        if (height, width) == resized.shape[:2]:
            return resized
        rows = np.clip(np.arange(height) - self.target.top, 0, self.target.height - 1)
        columns = np.clip(np.arange(width) - self.target.left, 0, self.target.width - 1)
        return resized[rows[:, None], columns]

    def shown(self, output: Pixels) -> Pixels:
        """What of the network's (..., h, w) output belongs to the picture; a view of it."""
        top, left = self.target.top, self.target.left
        return output[..., top : top + self.target.height, left : left + self.target.width]

    def spread(self, values: Pixels, outside: Callable[[tuple[int, int]], Pixels]) -> Pixels:
        """(H, W) values of the picture from those of its window.

        Args:
            values: of the window.
            outside: makes what is around it: an array of the shape that it is given.
        """
        if self.is_whole:
            return values
        spread = outside(self.picture)
        self.window.cut(spread)[:] = values
        return spread

    def intrinsics(self, K: NDArray[np.float64] | None, spread: bool = False) -> NDArray[np.float64]:
        """(3, 3) intrinsics of what is `shown`, or `spread`, from those of the picture; NaN where these are unknown."""
        if K is None or spread:
            return np.full((3, 3), np.nan) if K is None else np.array(K, np.float64)
        moved = np.array(K, np.float64)
        moved[:2, 2] -= self.window.left, self.window.top
        scale_x, scale_y = self.target.width / self.window.width, self.target.height / self.window.height
        return scale_intrinsics(moved, scale_x, scale_y)

    def __str__(self) -> str:
        """In words, for a log."""
        (height, width), (rows, columns) = self.size, self.picture
        seen = f"all {columns}x{rows} pixels"
        if not self.is_whole:
            window = self.window
            seen = f"{window.width}x{window.height} of the {columns}x{rows} pixels, from ({window.left}, {window.top})"
        filled = "" if self.target[2:] == (width, height) else f"{self.target.width}x{self.target.height} of "
        return (
            f"the network sees {seen} in {filled}its {width}x{height}; things look {self.focal_ratio:.2f} times as "
            "large as to the camera it learnt from, depth is multiplied by that"
        )


def check_picture(picture: Tensor | NDArray[Any]) -> None:
    """Raise EncodingError where something is no picture (H, W, 3) uint8."""
    shape, kind = tuple(picture.shape), str(picture.dtype).removeprefix("torch.")
    if len(shape) != 3 or shape[2] != 3 or 0 in shape or kind != "uint8":
        raise EncodingError(f"expected an H x W x 3 uint8 image, got {shape} {kind}")


def view_of(
    picture: tuple[int, int],
    size: tuple[int, int],
    K: NDArray[np.float64] | None = None,
    camera: TrainingCamera | None = None,
    fit: str = FITS[0],
) -> NetworkView:
    """What a network sees of a picture.

    Args:
        picture: height and width.
        size: height and width of the network's input.
        K: (3, 3) intrinsics of the picture; None where they are unknown.
        camera: that the network learnt from; None where it is unknown.
        fit: one of `config.fit.FITS`; a picture is squeezed where either camera is unknown.

    Raises:
        CalibrationError: K is not a camera's.
    """
    if K is not None and (np.shape(K) != (3, 3) or not np.isfinite(K).all() or min(K[0, 0], K[1, 1]) <= 0):
        raise CalibrationError("K is not a 3 x 3 matrix with positive focal lengths: calibrate the camera")
    whole, full = Region(0, 0, picture[1], picture[0]), Region(0, 0, size[1], size[0])
    if K is None or camera is None:
        return NetworkView(picture, whole, size, full)
    # Of the training camera at this size of input, and where its axis meets it, as shares of the size.
    fx, fy = camera.fx * size[1] / camera.width, camera.fy * size[0] / camera.height
    axis = (camera.cx + 0.5) / camera.width, (camera.cy + 0.5) / camera.height
    # Factors from picture to input that fill its width or its height, as parts of those that give the training
    # camera's focal lengths: at equal parts pixels have the shape that the network knows.
    across, down = size[1] / picture[1] * K[0, 0] / fx, size[0] / picture[0] * K[1, 1] / fy
    if fit == "stretch" or abs(math.log(across / down)) < SAME_SHAPE:
        # Networks judge depth by the row in which something stands on the ground rather than by its width.
        return NetworkView(picture, whole, size, full, down)
    zoom = min(across, down) if fit == "pad" else min(max(across, down), 1.0)
    scale_x, scale_y = zoom * fx / K[0, 0], zoom * fy / K[1, 1]
    left, width, start, columns = _overlap(picture[1], size[1], scale_x, K[0, 2] + 0.5, axis[0])
    top, height, first, rows = _overlap(picture[0], size[0], scale_y, K[1, 2] + 0.5, axis[1])
    ratio = math.sqrt((K[0, 0] * columns / width / fx) * (K[1, 1] * rows / height / fy))
    return NetworkView(picture, Region(left, top, width, height), size, Region(start, first, columns, rows), ratio)


def _overlap(picture: int, size: int, scale: float, axis: float, share: float) -> tuple[int, int, int, int]:
    """One direction of a view: where it begins in the picture and how long it is, then the same in the input.

    The camera's axis, at `axis` of the picture, comes to lie at `share` of the input as far as there is room.
    """
    seen = min(picture, max(1, round(size / scale)))
    begin = min(max(round(axis - share * size / scale), 0), picture - seen)
    filled = min(size, max(1, round(seen * scale)))
    return begin, seen, min(max(round(share * size - (axis - begin) * scale), 0), size - filled), filled
