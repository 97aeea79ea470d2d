# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What every source of scale looks at: one predicted picture of depth, on the host."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.config.classes import ClassMap
from depth_node.inference.prediction import Prediction

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class DepthFrame:
    """A prediction before its scale.

    Attributes:
        stamp_ns: when the picture was taken.
        frame_id: the camera's optical frame.
        depth: (h, w) float32; metres are this times the scale that is looked for. NaN, infinite or 0 where unknown.
        K: (3, 3) intrinsics of `depth`, pixels.
        gray: (h, w) uint8, the picture at the size of `depth`.
        ground: (h, w) bool, pixels of the road; None where no classes are known.
        moving: (h, w) bool, pixels of classes that may move on their own; None likewise.
    """

    stamp_ns: int
    frame_id: str
    depth: NDArray[np.float32]
    K: Matrix
    gray: NDArray[np.uint8]
    ground: NDArray[np.bool_] | None = None
    moving: NDArray[np.bool_] | None = None

    @classmethod
    def of(
        cls,
        prediction: Prediction[Any],
        classes: ClassMap | None,
        base: float = 1.0,
        stamp_ns: int = 0,
        frame_id: str = "",
    ) -> DepthFrame:
        """A prediction on the host, in memory of its own.

        Args:
            prediction: of the engine.
            classes: what its labels stand for; None without a semantic network.
            base: the scale that is in its depth, to be taken out.
            stamp_ns: when the picture was taken.
            frame_id: the camera's optical frame.
        """
        arrays = {"depth": prediction.depth / base, "image": prediction.image}
        if prediction.labels is not None and classes is not None:
            arrays["labels"] = prediction.labels
        host = prediction.to_host(arrays)
        gray = np.asarray(cv2.cvtColor(np.ascontiguousarray(host["image"]), cv2.COLOR_RGB2GRAY), np.uint8)
        ground: NDArray[np.bool_] | None = None
        moving: NDArray[np.bool_] | None = None
        if "labels" in host and classes is not None:
            ground = np.isin(host["labels"], classes.road_ids) if classes.road_ids else None
            moving = np.isin(host["labels"], classes.moving_ids)
        # Depth may lie in memory that the next picture overwrites.
        return cls(stamp_ns, frame_id, np.array(host["depth"]), prediction.K, gray, ground, moving)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of `depth`."""
        return self.depth.shape[0], self.depth.shape[1]

    def thinned(self, columns: int) -> DepthFrame:
        """Every n-th pixel, from the first on, so that about so many columns are left; views."""
        step = max(1, round(self.size[1] / columns))
        if step == 1:
            return self
        ground, moving = (None if mask is None else mask[::step, ::step] for mask in (self.ground, self.moving))
        K = self.K * np.array([[1 / step], [1 / step], [1.0]])  # the grid shrinks, its origin stays
        depth, gray = self.depth[::step, ::step], self.gray[::step, ::step]
        return replace(self, depth=depth, K=K, gray=gray, ground=ground, moving=moving)

    def shrunk(self, columns: int) -> DepthFrame:
        """The same at a whole fraction of the size, about so many columns; the picture by area, the rest as it is."""
        factor = max(1, round(self.size[1] / columns))
        if factor == 1:
            return self
        rows, width = self.size[0] // factor, self.size[1] // factor
        K = self.K * np.array([[1 / factor], [1 / factor], [1.0]])
        K[:2, 2] += 0.5 / factor - 0.5  # pixel centres lie at whole numbers
        gray = np.asarray(cv2.resize(self.gray, (width, rows), interpolation=cv2.INTER_AREA), np.uint8)
        place = slice(factor // 2, factor * rows, factor), slice(factor // 2, factor * width, factor)
        ground, moving = (None if mask is None else mask[place] for mask in (self.ground, self.moving))
        return replace(self, depth=self.depth[place], K=K, gray=gray, ground=ground, moving=moving)

    def times(self, factor: float) -> DepthFrame:
        """The same with its depth multiplied."""
        return self if factor == 1.0 else replace(self, depth=self.depth * np.float32(factor))

    def at(self, pixels: NDArray[np.floating]) -> NDArray[np.float32]:
        """(N,) depth at (N, 2) pixel positions x, y: of the nearest centre, NaN outside the picture or unknown."""
        x, y = np.rint(np.nan_to_num(pixels, nan=-1.0).clip(-1, 1e6)).astype(np.int64).T
        height, width = self.size
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        values = self.depth[y.clip(0, height - 1), x.clip(0, width - 1)]
        return np.where(inside & np.isfinite(values) & (values > 0), values, np.float32(np.nan))

    def rays(self, pixels: NDArray[np.floating]) -> Matrix:
        """(N, 3) directions of (N, 2) pixel positions x, y, of length 1 along the optical axis."""
        homogeneous = np.column_stack([np.asarray(pixels, np.float64), np.ones(len(pixels))])
        return np.asarray(homogeneous @ np.linalg.inv(self.K).T, np.float64)


@dataclass(frozen=True)
class Reading:
    """What a source says of one moment.

    Attributes:
        log_scale: natural logarithm of metres per unit of the predicted depth.
        support: points, pixels or corners that it rests on.
    """

    log_scale: float
    support: int


class NoReading(Exception):  # noqa: N818 (no error: there is nothing to read now, and the next source takes over)
    """Why a source says nothing of this moment, in one line for people.

    Attributes:
        is_waiting: whether that is as it should be (standing still, the first picture), so that what the source said
            before still holds.
    """

    def __init__(self, reason: str, is_waiting: bool = False) -> None:
        super().__init__(reason)
        self.is_waiting = is_waiting
