# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The engine in PyTorch: one image and its intrinsics to depth in metres and semantic classes, on CPU or GPU."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from depth_node.camera.network_input import resize_image, to_network_input
from depth_node.camera.network_view import NetworkView, check_picture, view_of
from depth_node.config.backend import TORCH
from depth_node.config.classes import UNLABELLED
from depth_node.config.fit import FITS
from depth_node.config.network import SCALES
from depth_node.geometry.disparity import resized_depth
from depth_node.inference.backends.choice import open_backend
from depth_node.inference.backends.interface import Backend, Outputs
from depth_node.inference.backends.opener import Say
from depth_node.inference.confidence import confidence_of, uncertainty
from depth_node.inference.device import PRECISIONS
from depth_node.inference.engine import Engine, EstimateRequest
from depth_node.inference.prediction import StageClock
from depth_node.inference.tensor_prediction import TensorPrediction
from depth_node.networks.class_scores import best_classes

if TYPE_CHECKING:
    from depth_node.checkpoints.depth import Checkpoint
    from depth_node.networks.depth_model import DepthModel

logger = logging.getLogger(__name__)


class _NetworkInput(NamedTuple):
    """An image as the network sees it: (1, 3, H, W) RGB in 0..1, the view, and what is shown of the picture."""

    tensor: Tensor
    view: NetworkView
    shown: Tensor
    timings: Mapping[str, float]


class DepthEstimator(Engine[TensorPrediction]):
    """See `Engine`; everything that surrounds the networks is PyTorch's, and stays on their device.

    The semantic network runs once, on the input of the depth network, or not at all when nothing needs it: neither
    guidance nor sky nor labels.
    """

    device: torch.device

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
        if not isinstance(checkpoint, Backend):
            from depth_node.inference.backends.torch_backend import TorchBackend

            checkpoint = TorchBackend(checkpoint, device, precision)
        super().__init__(checkpoint, fit)
        self.device = torch.device(self.backend.device)
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

    @torch.inference_mode()
    def estimate_batch(self, requests: Sequence[EstimateRequest]) -> list[TensorPrediction]:
        """See `Engine.estimate_batch`; images may be tensors that are already on the device."""
        if len(requests) > 1 and not self.backend.batches:
            return [self.estimate_batch([request])[0] for request in requests]
        inputs = [self._prepare(request) for request in requests]
        clock = StageClock(self._wait)
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
        clock = StageClock(self._wait)
        picture = self._upload(request.image)
        clock.lap("upload")
        view = self.view((picture.shape[0], picture.shape[1]), request.K)
        resized = view.of(picture, resize_image)
        tensor = to_network_input(resized)[None]
        clock.lap("preprocess")
        shown = picture if request.full_resolution else view.target.cut(resized)
        return _NetworkInput(tensor, view, shown, clock.timings)

    def _finish(
        self, request: EstimateRequest, seen: _NetworkInput, found: Outputs, timings: Mapping[str, float]
    ) -> TensorPrediction:
        """Metres, classes, sky and confidence of one image from what the networks gave for it."""
        clock, view, full_resolution = StageClock(self._wait), seen.view, request.full_resolution
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
            depth = view.spread(depth, lambda shape: depth.new_full(shape, math.nan))
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
                confidence = view.spread(confidence, confidence.new_zeros)
            clock.lap("confidence")
        K_shown = view.intrinsics(request.K, full_resolution)
        timings = {**seen.timings, **timings, **clock.timings}
        return TensorPrediction(depth, valid, seen.shown, K_shown, view, labels, confidence, timings=timings)

    def view(self, picture: tuple[int, int], K: NDArray[np.float64] | None) -> NetworkView:
        """What the network sees of pictures of a size (height, width) and camera; raises CalibrationError."""
        size = self.info.network.height, self.info.network.width
        return view_of(picture, size, K, self.info.camera, self.fit)

    def memory(self) -> int:
        """See `Engine.memory`; on a GPU PyTorch's share of it."""
        return torch.cuda.memory_reserved(self.device) if self.device.type == "cuda" else super().memory()

    def release(self) -> None:
        """See `Engine.release`; a GPU's memory goes back to others."""
        super().release()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _wait(self) -> None:
        """Until the GPU has done what it was given: a host clock would only see the launches."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def _upload(self, image: NDArray[np.uint8] | Tensor) -> Tensor:
        check_picture(image)
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
    return view.spread(labels[0], lambda shape: labels.new_full(shape, UNLABELLED))
