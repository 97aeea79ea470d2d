# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A focal length that is learnt along with depth and motion, for cameras that nobody has calibrated.

Gordon et al. 2019 (arXiv 1904.04998) let the pose network answer with intrinsics for every pair of pictures. One camera
makes a whole run here, so one number does: the factor from the focal lengths that the data say, a first guess, to the
true ones. A number that all triplets share is steady where one pair alone says little, and there is none to lose when
the pose network is left out of what is deployed. Fixed are the centre and the pixels' shape, as the data say them: cars
turn about one axis and drive straight on, and from such motion neither can be told.

Only turning tells focal length: what a forward motion shows is as well explained by depth of another scale. On a road
without bends the factor stays where it is or drifts.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth_info import CheckpointInfo


class LearntFocalLength(nn.Module):
    """One factor on the focal lengths of all pictures."""

    def __init__(self) -> None:
        """Begin with the first guess."""
        super().__init__()
        self.log_factor = nn.Parameter(torch.zeros(()))

    def start_from(self, info: CheckpointInfo, guess: TrainingCamera) -> None:
        """Go on from the focal length that an earlier run has learnt, where it has learnt one."""
        if info.network.learn_intrinsics and info.camera is not None:
            learnt = info.camera.fx / info.camera.width
            self.log_factor.data.fill_(math.log(learnt / (guess.fx / guess.width)))

    @property
    def factor(self) -> float:
        """By how much focal lengths are longer than the first guess."""
        return float(self.log_factor.detach().exp())

    def forward(self, K: Tensor) -> Tensor:
        """Intrinsics (B, 3, 3) with the learnt focal lengths, from those that the data say; pixels."""
        factor = self.log_factor.exp().to(K.dtype)
        focal = torch.diag_embed(K.diagonal(dim1=-2, dim2=-1) * K.new_tensor([1.0, 1.0, 0.0]))
        return K + focal * (factor - 1.0)

    def camera(self, guess: TrainingCamera) -> TrainingCamera:
        """The camera as learnt so far, from its first guess."""
        return guess._replace(fx=guess.fx * self.factor, fy=guess.fy * self.factor)
