# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint of this package as a teacher whose answers are written to disk."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from depth_node.checkpoints.by_name import located
from depth_node.config.teacher import DEPTH, INVERSE_DEPTH, TeacherConfig
from depth_node.inference.estimator import DepthEstimator
from depth_node.teachers.contract import Origin, revision_of

OWN_LICENCE = "Apache-2.0"


class CheckpointTeacher:
    """See `Teacher`; without a scale of its own it gives inverse depth."""

    def __init__(self, name: str, config: TeacherConfig) -> None:
        """Load a checkpoint by its file or name; raises CheckpointError."""
        path = located(name)
        self._estimator = DepthEstimator.from_checkpoint(path, device=config.device)
        info = self._estimator.info
        self.gives = DEPTH if info.scale_source != "none" else INVERSE_DEPTH
        # Weights of one's own are one's own; those of others say so in their metadata.
        self.origin = Origin(path.name, revision_of(path), info.licence or OWN_LICENCE)

    def __call__(self, image: NDArray[np.uint8], K: NDArray[np.float64]) -> NDArray[np.float32]:
        """See `Teacher`."""
        depth = np.asarray(self._estimator.estimate(image, K, full_resolution=True).depth.cpu().numpy(), np.float32)
        if self.gives == DEPTH:
            return depth
        return np.where(np.isfinite(depth), 1.0 / depth, np.float32(0))
