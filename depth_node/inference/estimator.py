# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The engine: one image and its intrinsics to depth in metres and semantic classes, on CPU or GPU."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from depth_node.camera.network_input import to_network_input
from depth_node.camera.network_view import NetworkView, view_of
from depth_node.checkpoints.depth_info import CheckpointInfo
from depth_node.config.backend import TORCH
from depth_node.config.classes import UNLABELLED, ClassMap
from depth_node.config.fit import FITS
from depth_node.config.network import SCALES
from depth_node.errors import CalibrationError, EncodingError
from depth_node.geometry.disparity import resized_depth
from depth_node.inference.backends.choice import open_backend
from depth_node.inference.backends.interface import Backend, Outputs
from depth_node.inference.backends.opener import Say
from depth_node.inference.confidence import confidence_of, uncertainty
from depth_node.inference.device import PRECISIONS
from depth_node.inference.prediction import Prediction, StageClock
from depth_node.networks.class_scores import best_classes

if TYPE_CHECKING:
    from depth_node.checkpoints.depth import Checkpoint
    from depth_node.networks.depth_model import DepthModel

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EstimateRequest:
    """One image and what is wanted of it.

    Attributes:
        image: (H, W, 3) uint8 RGB, any size; an array, or a tensor that may already be on the device.
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


class _NetworkInput(NamedTuple):
    """An image as the network sees it: (1, 3, H, W) RGB in 0..1, the view, and what is shown of the picture."""

    tensor: Tensor
    view: NetworkView
    shown: Tensor
    timings: Mapping[str, float]


class DepthEstimator:
    """Loaded networks, ready for images.

    Attributes:
        info: the checkpoint's description.
        classes: what labels stand for; None without a semantic network.
        device: where everything runs.
        backend: what computes the networks.
        scale: metres per network unit as the training camera sees things; may be changed at any time.
        fit: how pictures of another shape come into the network's; may be changed at any time.
    """

    def __init__(
        self, checkpoint: Checkpoint | Backend, device: str = "auto", precision: str = "auto", fit: str = FITS[0]
    ) -> None:
        """Take over a checkpoint's depth and semantic networks (they are moved and cast in place).

        Args:
            checkpoint: as loaded, for PyTorch; or a back end that is ready, which has its device and precision.
            device: 'auto', 'cpu', 'cuda' or 'cuda:N'.
            precision: 'auto', 'fp32', 'bf16' or 'fp16'.
            fit: how pictures of another shape come into the network's, see `config.fit.FITS`.

        Raises:
            ConfigError: device or precision are not to be had.
        """
        if isinstance(checkpoint, Backend):
            self.backend = checkpoint
        else:
            from depth_node.inference.backends.torch_backend import TorchBackend

            self.backend = TorchBackend(checkpoint, device, precision)
        self.info: CheckpointInfo = self.backend.info
        self.device, self.scale, self.fit = self.backend.device, self.info.scale, fit
        self.classes: ClassMap | None = self.backend.classes
        sky = () if self.classes is None else self.classes.sky_ids
        self._sky_ids = torch.tensor(sky, dtype=torch.uint8, device=self.device)

    @classmethod
    def from_checkpoint(
        cls,
        path: str | Path,
        device: str = "auto",
        precision: str = "auto",
        fit: str = FITS[0],
        backend: str = TORCH,
        say: Say = logger.info,
    ) -> DepthEstimator:
        """Load a checkpoint file.

        Args:
            path: the file, or the name of a shipped checkpoint.
            device: as in the constructor.
            precision: as in the constructor.
            fit: as in the constructor.
            backend: one of `config.backend.BACKENDS`, see `inference.backends.choice`.
            say: is told which one it became and why.

        Raises:
            CheckpointError: the file cannot be read.
            ConfigError: as the constructor, or there is no such back end.
        """
        return cls(open_backend(path, backend, device, precision, say), fit=fit)

    @property
    def model(self) -> DepthModel:
        """The networks as modules on the device, where PyTorch computes them; raises AttributeError where not."""
        from depth_node.inference.backends.torch_backend import TorchBackend

        if not isinstance(self.backend, TorchBackend):
            raise AttributeError(f"{self.backend} has no modules of PyTorch")
        return self.backend.model

    @property
    def dtype(self) -> torch.dtype:
        """Arithmetic of the convolutions."""
        return PRECISIONS[self.backend.precision]

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
    ) -> Prediction:
        """Depth of one rectified image, and its semantic classes where the checkpoint has a semantic network.

        The semantic network runs once, on the input of the depth network, or not at all when nothing needs it:
        neither guidance nor sky nor labels.

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

    @torch.inference_mode()
    def estimate_batch(self, requests: Sequence[EstimateRequest]) -> list[Prediction]:
        """What `estimate` gives for each of several images, of any sizes and cameras, in one pass of the networks.

        Where the back end takes one image at a time, they are computed one after the other.

        Raises:
            EncodingError: as `estimate`, of any of them.
            CalibrationError: as `estimate`, of any of them.
        """
        if len(requests) > 1 and not self.backend.batches:
            return [self.estimate_batch([request])[0] for request in requests]
        inputs = [self._prepare(request) for request in requests]
        clock = StageClock(self.device)
        batch = inputs[0].tensor if len(inputs) == 1 else torch.cat([each.tensor for each in inputs])
        scales = SCALES if any(request.with_confidence for request in requests) else 1
        wants_labels = any(self._wants_labels(request) for request in requests)
        found = self.backend.run(batch, scales, wants_labels, clock)
        clock.lap("depth")
        return [
            self._finish(request, each, _of_image(found, i), clock.timings)
            for i, (request, each) in enumerate(zip(requests, inputs, strict=True))
        ]

    def _wants_labels(self, request: EstimateRequest) -> bool:
        return request.with_labels or (request.sky_infinite and len(self._sky_ids) > 0)

    def _prepare(self, request: EstimateRequest) -> _NetworkInput:
        """One image as the network sees it."""
        clock = StageClock(self.device)
        picture = self._upload(request.image)
        clock.lap("upload")
        view = self.view((picture.shape[0], picture.shape[1]), request.K)
        resized = view.of(picture)
        tensor = to_network_input(resized)[None]
        clock.lap("preprocess")
        shown = picture if request.full_resolution else view.target.cut(resized)
        return _NetworkInput(tensor, view, shown, clock.timings)

    def _finish(
        self, request: EstimateRequest, seen: _NetworkInput, found: Outputs, timings: Mapping[str, float]
    ) -> Prediction:
        """Metres, classes, sky and confidence of one image from what the networks gave for it."""
        clock, view, full_resolution = StageClock(self.device), seen.view, request.full_resolution
        disparities, labels = found.disparities, None
        find_sky = request.sky_infinite and len(self._sky_ids) > 0
        if found.logits is not None and self._wants_labels(request):
            labels = _labels_of(found.logits, view, full_resolution)
            clock.lap("labels")
        region = view.window if full_resolution else view.target
        network, size = self.info.network, (region.height, region.width)
        depth = resized_depth(view.shown(disparities[0]), network.min_depth, network.max_depth, size)[0, 0]
        depth = view.focal_ratio * self.scale * depth
        if full_resolution:
            depth = view.spread(depth, math.nan)
        valid = torch.isfinite(depth) & (depth > 0)
        if find_sky and labels is not None:
            sky = torch.isin(labels, self._sky_ids)
            depth, valid = depth.masked_fill(sky, math.inf), valid | sky
        clock.lap("scale")
        confidence: Tensor | None = None
        if request.with_confidence:
            doubt = view.shown(uncertainty(disparities, self.info.network, self.scale * view.focal_ratio))
            if full_resolution:
                doubt = F.interpolate(doubt, size, mode="bilinear", align_corners=False)
            confidence = confidence_of(doubt)[0, 0]
            if full_resolution:
                confidence = view.spread(confidence, 0)
            clock.lap("confidence")
        K = request.K
        if K is None:
            K_shown = np.full((3, 3), np.nan)
        else:
            K_shown = np.array(K, np.float64) if full_resolution else view.intrinsics(K)
        timings = {**seen.timings, **timings, **clock.timings}
        return Prediction(depth, valid, seen.shown, K_shown, view, labels, confidence, timings=timings)

    def view(self, picture: tuple[int, int], K: NDArray[np.float64] | None) -> NetworkView:
        """What the network sees of pictures of a size (height, width) and camera; raises CalibrationError."""
        if K is not None and (np.shape(K) != (3, 3) or not np.isfinite(K).all() or min(K[0, 0], K[1, 1]) <= 0):
            raise CalibrationError("K is not a 3 x 3 matrix with positive focal lengths: calibrate the camera")
        size = self.info.network.height, self.info.network.width
        return view_of(picture, size, K, self.info.camera, self.fit)

    def warm_up(self, height: int = 0, width: int = 0, runs: int = 2) -> None:
        """Run on grey images, so that the first real one does not pay for lazy set-up.

        Args:
            height: rows of the images to come, pixels; 0 takes the network's.
            width: columns of the images to come, pixels; 0 takes the network's.
            runs: how often.
        """
        size = (height or self.info.network.height, width or self.info.network.width, 3)
        image = np.full(size, 127, np.uint8)
        for _ in range(runs):
            self.estimate(image, None)

    def _upload(self, image: NDArray[np.uint8] | Tensor) -> Tensor:
        if image.ndim != 3 or 0 in image.shape:
            raise EncodingError(f"expected an H x W x 3 uint8 image, got {tuple(image.shape)} {image.dtype}")
        if isinstance(image, np.ndarray):
            # A view such as image[..., ::-1], or a read-only message buffer, cannot back a tensor.
            image = torch.from_numpy(np.require(image, requirements=("C", "W")))
        return image.to(self.device)


def _of_image(found: Outputs, i: int) -> Outputs:
    """What the networks gave for one image of a batch, as a batch of one."""
    logits = None if found.logits is None else found.logits[i : i + 1]
    return Outputs([disparity[i : i + 1] for disparity in found.disparities], logits)


def _labels_of(logits: Tensor, view: NetworkView, full_resolution: bool) -> Tensor:
    """Classes (h, w) uint8 of what is shown, or of the picture."""
    labels = view.shown(best_classes(logits, *view.size))
    if not full_resolution:
        return labels[0]
    size = view.window.height, view.window.width
    if labels.shape[-2:] != size:
        # Class numbers have no mean: each pixel takes that of the nearest centre.
        labels = F.interpolate(labels[None], size, mode="nearest-exact")[0]
    return view.spread(labels[0], UNLABELLED)
