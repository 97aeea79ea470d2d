# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The engine without PyTorch: a compiled network, and NumPy, OpenCV and Pillow around it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.camera.array_input import resize_array, to_network_array
from depth_node.camera.network_view import NetworkView, check_picture, view_of
from depth_node.config.classes import UNLABELLED
from depth_node.config.fit import FITS
from depth_node.config.network import SCALES
from depth_node.inference.array_maps import (
    best_class_map,
    confidence_map,
    depth_map,
    doubt_map,
    nearest_map,
    resized_map,
)
from depth_node.inference.array_prediction import ArrayPrediction
from depth_node.inference.backends.interface import GraphBackend
from depth_node.inference.engine import Engine, EstimateRequest
from depth_node.inference.prediction import StageClock


class ArrayEstimator(Engine[ArrayPrediction]):
    """See `Engine`; stage for stage what `estimator.DepthEstimator` does."""

    device = "cpu"
    passes_until_steady = 1
    backend: GraphBackend

    def __init__(self, backend: GraphBackend, fit: str = FITS[0]) -> None:
        """Take over a compiled network; arguments as `Engine`."""
        super().__init__(backend, fit)
        self._sky_ids = () if self.classes is None else self.classes.sky_ids

    def estimate_batch(self, requests: Sequence[EstimateRequest]) -> list[ArrayPrediction]:
        """See `Engine.estimate_batch`; compiled networks take one image at a time."""
        return [self._estimate(request) for request in requests]

    def _estimate(self, request: EstimateRequest) -> ArrayPrediction:
        image, K, full_resolution = np.asarray(request.image), request.K, request.full_resolution
        check_picture(image)
        clock = StageClock()
        network = self.info.network
        size = network.height, network.width
        view = view_of((image.shape[0], image.shape[1]), size, K, self.info.camera, self.fit)
        resized = view.of(image, resize_array)
        batch = to_network_array(resized)
        clock.lap("preprocess")
        found = self.backend.compute(batch)
        clock.lap("depth")
        region = view.window if full_resolution else view.target
        size = region.height, region.width
        find_sky = request.sky_infinite and len(self._sky_ids) > 0
        labels: NDArray[np.uint8] | None = None
        if self.classes is not None and (find_sky or request.with_labels):
            seen = view.shown(best_class_map(found[SCALES][0], *view.size))
            labels = view.spread(nearest_map(seen, *size), _filled(UNLABELLED, np.uint8)) if full_resolution else seen
            clock.lap("labels")
        depth = depth_map(resized_map(view.shown(found[0][0, 0]), *size), self.info.network)
        depth *= np.float32(view.focal_ratio * self.scale)
        if full_resolution:
            depth = view.spread(depth, _filled(math.nan, np.float32))
        valid = np.isfinite(depth) & (depth > 0)
        if find_sky and labels is not None:
            sky = np.isin(labels, self._sky_ids)
            depth[sky], valid[sky] = math.inf, True
        clock.lap("scale")
        confidence: NDArray[np.uint8] | None = None
        if request.with_confidence:
            confidence = self._confidence(found, view, size)
            if full_resolution:
                confidence = view.spread(confidence, _filled(0, np.uint8))
            clock.lap("confidence")
        shown = image if full_resolution else view.target.cut(resized)
        K_shown = view.intrinsics(K, full_resolution)
        return ArrayPrediction(depth, valid, shown, K_shown, view, labels, confidence, timings=clock.timings)

    def _confidence(
        self, found: Sequence[NDArray[np.float32]], view: NetworkView, size: tuple[int, int]
    ) -> NDArray[np.uint8]:
        """(h, w) of what is shown, at a size."""
        scales = [disparity[0, 0] for disparity in found[:SCALES]]
        doubt = view.shown(doubt_map(scales, self.info.network, self.scale * view.focal_ratio))
        return confidence_map(resized_map(doubt, *size))


def _filled(value: float, kind: type[np.generic]) -> Callable[[tuple[int, int]], NDArray[Any]]:
    """Makes arrays of any shape with one value."""
    return lambda shape: np.full(shape, value, kind)
