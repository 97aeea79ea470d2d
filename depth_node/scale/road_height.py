# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Scale from the camera's height above the road: how far under the camera the predicted road lies."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from depth_node.config.ground import GroundSearch
from depth_node.scale.depth_frame import DepthFrame, Matrix, NoReading, Reading

WIDTH = 160
"""About so many columns look for the road: more would not move it."""
SEARCH = GroundSearch()
STEEPEST, FLATTEST = 0.25, 0.1
"""How far the rays fall that count, per unit along the axis: 4 to 10 heights ahead, where networks know a road best."""
LEAST_PIXELS = 30


def scale_of_height(
    height: float, frame: DepthFrame, normal: Matrix | None = None, search: GroundSearch = SEARCH
) -> Reading:
    """What puts the road as far under the camera as it is.

    Args:
        height: of the camera above the road, metres.
        frame: the prediction.
        normal: (3,) of the road in the optical frame, pointing down; None fits the plane, which is less exact.
        search: how the road is found.

    Raises:
        NoReading: no road is found.
    """
    try:
        import torch

        from depth_node.geometry.ground_search import find_ground, ground_candidates
    except ImportError:
        raise NoReading("the road is found by PyTorch, which is not installed here: pip install torch") from None
    thin = frame.thinned(WIDTH)
    depth = torch.from_numpy(np.ascontiguousarray(thin.depth)).double()
    depth = torch.where(torch.isfinite(depth) & (depth > 0), depth, torch.nan)[None]
    ground = None if thin.ground is None else torch.from_numpy(np.ascontiguousarray(thin.ground))[None]
    if normal is None:
        planes, candidates, _ = find_ground(depth[None], torch.from_numpy(thin.K)[None], ground, search)
        if not bool(planes.found):
            raise NoReading("no road plane in the picture")
        return Reading(math.log(height / float(planes.distances)), int(candidates.sum()))
    candidates, _ = ground_candidates(depth, ground, search)
    return _below(height, depth[0].numpy(), candidates[0].numpy(), thin.K, normal, search)


def _below(
    height: float, depth: Matrix, candidates: NDArray[np.bool_], K: Matrix, normal: Matrix, search: GroundSearch
) -> Reading:
    """By the height that most candidates agree on, under a plane whose tilt is known."""
    rows, columns = depth.shape
    y, x = np.mgrid[:rows, :columns]
    slants = np.einsum("i,ij,jhw->hw", normal, np.linalg.inv(K), np.stack([x, y, np.ones_like(x)]))
    counts = candidates & (slants > FLATTEST) & (slants < STEEPEST) & np.isfinite(depth)
    logs = np.sort(np.log(depth[counts] * slants[counts]))
    if len(logs) < LEAST_PIXELS:
        raise NoReading("no road ahead in the picture")
    # The densest stretch as wide as the tolerance on both sides: kerbs, cars and their shadows lie beside it.
    ends = np.searchsorted(logs, logs + 2 * search.tolerance, side="right")
    start = int(np.argmax(ends - np.arange(len(logs))))
    agreeing = logs[start : ends[start]]
    if len(agreeing) < search.min_inliers * len(logs):
        raise NoReading("what is ahead is no plane")
    return Reading(math.log(height) - float(np.median(agreeing)), len(agreeing))
