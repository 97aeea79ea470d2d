# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the engine returns for one image, whichever library computes with it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from depth_node.camera.network_view import NetworkView
from depth_node.inference.pointcloud import CloudLayout

Array = TypeVar("Array")
Self = TypeVar("Self", bound="Prediction[Any]")


@dataclass(frozen=True)
class Prediction(ABC, Generic[Array]):
    """Depth of one image and all that goes with it: tensors on the engine's device, or NumPy's arrays.

    What is made of it afterwards runs where it lies, by the methods of its kind; `to_host` ends at NumPy's arrays.

    Attributes:
        depth: (h, w) float32 metres along the optical axis; +Inf in the sky, where sky was asked for.
        valid: (h, w) bool, false where nothing is known. Sky is known: nothing is there.
        image: (h, w, 3) uint8 RGB at the size of `depth`.
        K: (3, 3) float64 intrinsics of `depth`, pixels; NaN where the camera is unknown.
        view: what the network saw of the picture, and the ratio of focal lengths that is in `depth`.
        labels: (h, w) uint8 class numbers; None without a semantic network, or when nothing needed them.
        confidence: (h, w) uint8, 255 sure; 0 where nothing is known; None when nothing needed it.
        rescaled: what depth was multiplied by after the network's own scale: the scale measured at run time.
        timings: seconds per stage, in the order in which they ran.
    """

    depth: Array
    valid: Array
    image: Array
    K: NDArray[np.float64]
    view: NetworkView
    labels: Array | None = None
    confidence: Array | None = None
    rescaled: float = 1.0
    timings: Mapping[str, float] = field(default_factory=dict)

    @property
    def height(self) -> int:
        """Rows of `depth`."""
        return int(self._shape[0])

    @property
    def width(self) -> int:
        """Columns of `depth`."""
        return int(self._shape[1])

    @property
    def _shape(self) -> tuple[int, ...]:
        depth: Any = self.depth
        return tuple(depth.shape)

    def times(self: Self, factor: float) -> Self:
        """The same with its depth multiplied, and `rescaled` saying so."""
        return replace(self, depth=self.depth * factor, rescaled=factor) if factor != 1.0 else self

    @abstractmethod
    def ranged(self, minimum: float, maximum: float) -> Array:
        """(h, w) metres without what a depth image must not claim to have measured, in memory of its own.

        Args:
            minimum: nearer than this is -Inf, metres.
            maximum: farther than this is +Inf, metres.

        Returns:
            NaN where not `valid`.
        """

    @abstractmethod
    def cloud_packer(self, with_labels: bool, stride: int, with_confidence: bool) -> CloudLayout[Array]:
        """What makes clouds of predictions of this size, camera, kind and device; see `CloudLayout`."""

    @abstractmethod
    def to_host(self, arrays: Mapping[str, Array]) -> dict[str, NDArray[Any]]:
        """Arrays that lie where the prediction does, as NumPy's; they may share memory."""


class StageClock:
    """Measures consecutive stages."""

    def __init__(self, wait: Callable[[], object] = lambda: None) -> None:
        """Start the first stage now.

        Args:
            wait: returns once all work so far is done; on CUDA a host clock would only see the launches.
        """
        self._wait = wait
        self._last = time.perf_counter()
        self.timings: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """End a stage and start the next."""
        self._wait()
        now = time.perf_counter()
        self.timings[stage] = now - self._last
        self._last = now
