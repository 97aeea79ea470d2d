# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The engine, the one thing that the live node knows of networks: one image and its intrinsics to a prediction.

Two of them: `estimator.DepthEstimator` computes with PyTorch, `array_estimator.ArrayEstimator` takes a compiled network
and does everything around it in NumPy and OpenCV. Nothing here imports PyTorch, whose import alone takes longer than
all else that a node does before it is active.
"""

from __future__ import annotations

import gc
import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from depth_node.allocator import resident_memory
from depth_node.checkpoints.depth_info import CheckpointInfo
from depth_node.config.backend import AUTO
from depth_node.config.classes import ClassMap
from depth_node.config.fit import FITS
from depth_node.inference.backends.choice import open_backend
from depth_node.inference.backends.interface import Backend, GraphBackend
from depth_node.inference.backends.opener import Say
from depth_node.inference.prediction import Prediction

if TYPE_CHECKING:
    from torch import Tensor

logger = logging.getLogger(__name__)


P = TypeVar("P", bound=Prediction[Any])


@dataclass(frozen=True)
class EstimateRequest:
    """One image and what is wanted of it.

    Attributes:
        image: (H, W, 3) uint8 RGB, any size; an array, or for PyTorch a tensor that may already be on the device.
        K: (3, 3) intrinsics of `image`, pixels; None where they are unknown.
        full_resolution: return depth at the size of `image` rather than of what the network sees of it. Inverse
            depth is then interpolated bilinearly with half-pixel centres, which is exact on planes; labels are
            repeated. What the network does not see is not valid, and `UNLABELLED`.
        sky_infinite: give pixels that the semantic network takes for sky infinite depth.
        with_labels: labels are wanted.
        with_confidence: so is how sure depth is (`inference.confidence`).
    """

    image: NDArray[np.uint8] | Tensor
    K: NDArray[np.float64] | None
    full_resolution: bool = False
    sky_infinite: bool = True
    with_labels: bool = True
    with_confidence: bool = False


class Engine(ABC, Generic[P]):
    """Loaded networks, ready for images.

    Attributes:
        backend: what computes the networks.
        info: the checkpoint's description.
        classes: what labels stand for; None without a semantic network.
        device: where everything runs; its text is 'cpu' or 'cuda:N'.
        scale: metres per network unit as the training camera sees things; may be changed at any time.
        fit: how pictures of another shape come into the network's; may be changed at any time.
    """

    device: Any
    passes_until_steady = 2

    def __init__(self, backend: Backend, fit: str = FITS[0]) -> None:
        """Take over a back end.

        Args:
            backend: ready to compute.
            fit: how pictures of another shape come into the network's, see `config.fit.FITS`.
        """
        self.backend, self.fit = backend, fit
        self.info: CheckpointInfo = backend.info
        self.classes: ClassMap | None = backend.classes
        self.scale = self.info.scale

    @property
    def is_guided(self) -> bool:
        """Whether the semantic network runs for every picture anyway."""
        return self.info.network.guided

    def estimate(
        self,
        image: NDArray[np.uint8] | Tensor,
        K: NDArray[np.float64] | None,
        full_resolution: bool = False,
        sky_infinite: bool = True,
        with_labels: bool = True,
        with_confidence: bool = False,
    ) -> P:
        """Depth of one rectified image, and its semantic classes where the checkpoint has a semantic network.

        Depth is multiplied by the ratio of the camera's focal length to the training camera's, where both are known
        (`camera.network_view`).

        Args:
            image: as in `EstimateRequest`, as all others.
            K: (3, 3) intrinsics of `image`, pixels; None where they are unknown.
            full_resolution: depth at the size of `image`.
            sky_infinite: give sky infinite depth.
            with_labels: labels are wanted.
            with_confidence: so is how sure depth is.

        Returns:
            Depth at the chosen resolution, with labels, intrinsics and image at that resolution; the intrinsics are
            NaN without `K`.

        Raises:
            EncodingError: the image is not H x W x 3 bytes.
            CalibrationError: K is not a camera's.
        """
        request = EstimateRequest(image, K, full_resolution, sky_infinite, with_labels, with_confidence)
        return self.estimate_batch([request])[0]

    @abstractmethod
    def estimate_batch(self, requests: Sequence[EstimateRequest]) -> list[P]:
        """What `estimate` gives for each of several images, of any sizes and cameras, in one pass of the networks.

        Where the back end takes one image at a time, they are computed one after the other.

        Raises:
            EncodingError: as `estimate`, of any of them.
            CalibrationError: as `estimate`, of any of them.
        """

    def warm_up(self, height: int = 0, width: int = 0, runs: int = 0) -> None:
        """Run on grey images, so that the first real one does not pay for lazy set-up.

        Args:
            height: rows of the images to come, pixels; 0 takes the network's.
            width: columns of the images to come, pixels; 0 takes the network's.
            runs: how often; 0 as often as it takes until a picture costs what all later ones do.
        """
        size = (height or self.info.network.height, width or self.info.network.width, 3)
        image = np.full(size, 127, np.uint8)
        for _ in range(runs or self.passes_until_steady):
            self.estimate(image, None)

    def memory(self) -> int:
        """Bytes held where the network runs: here this process's resident memory."""
        return resident_memory()

    def release(self) -> None:
        """Free the networks; the engine is of no use from then on."""
        del self.backend
        gc.collect()


def open_engine(
    path: str | Path,
    device: str = "auto",
    precision: str = "auto",
    fit: str = FITS[0],
    backend: str = AUTO,
    say: Say = logger.info,
) -> Engine[Any]:
    """Load a checkpoint or an exported network, without PyTorch where that is not needed.

    Args:
        path: the file, or the name of a shipped checkpoint.
        device: 'auto', 'cpu', 'cuda' or 'cuda:N'.
        precision: 'auto', 'fp32', 'bf16' or 'fp16'.
        fit: how pictures of another shape come into the network's, see `config.fit.FITS`.
        backend: one of `config.backend.BACKENDS`, see `inference.backends.choice`.
        say: is told which one it became and why.

    Raises:
        CheckpointError: the file cannot be read, or needs PyTorch, which is not installed.
        ConfigError: device or precision are not to be had, or there is no such back end.
    """
    opened = open_backend(path, backend, device, precision, say)
    if isinstance(opened, GraphBackend):
        from depth_node.inference.array_estimator import ArrayEstimator

        return ArrayEstimator(opened, fit)
    from depth_node.inference.estimator import DepthEstimator

    return DepthEstimator(opened, fit=fit)
