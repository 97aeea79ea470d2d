# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Trained networks that only help in training: a teacher to learn from, semantics to be guided by.

Deliberately no `nn.Module`s: as submodules their weights would be trained and saved along with the network's.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor
from typing_extensions import Self

from depth_node.camera.network_view import SAME_SHAPE, TrainingCamera
from depth_node.checkpoints.depth import load_checkpoint
from depth_node.checkpoints.semantic import load_semantic
from depth_node.checkpoints.semantic_info import SemanticInfo
from depth_node.networks.depth_model import DepthModel
from depth_node.networks.semantic import SemanticNetwork


class Frozen:
    """Never changes, so that a copy of a training module (for averaged weights) may share it."""

    def __deepcopy__(self, _: object) -> Self:
        """Itself."""
        return self


class FrozenSemantics(Frozen):
    """A frozen semantic network.

    Attributes:
        info: its description.
        network: in evaluation mode, never trained.
    """

    def __init__(self, info: SemanticInfo, network: SemanticNetwork) -> None:
        self.info = info
        self.network = network.freeze()

    @classmethod
    def from_checkpoint(cls, path: str) -> FrozenSemantics:
        """Load a semantic checkpoint, or the semantic network of a depth checkpoint; raises CheckpointError."""
        return cls(*load_semantic(path))

    @torch.no_grad()
    def maps(self, image: Tensor) -> list[Tensor]:
        """Semantic maps of (B, 3, H, W) images in 0..1, as a guided depth network takes them."""
        return list(self.network.to(image.device)(image).maps)

    def moving(self, image: Tensor) -> Tensor:
        """Pixels of classes that may move on their own: (B, 1, H, W) bool of (B, 3, H, W) images in 0..1."""
        return self._of_classes(image, self.info.classes.moving_ids)[:, None]

    def road(self, image: Tensor) -> Tensor:
        """Pixels of what wheels roll on: (B, H, W) bool of (B, 3, H, W) images in 0..1."""
        return self._of_classes(image, self.info.classes.road_ids)

    @torch.no_grad()
    def _of_classes(self, image: Tensor, ids: tuple[int, ...]) -> Tensor:
        logits = self.network.to(image.device)(image).logits
        labels = self.network.labels(logits, *image.shape[-2:])
        return torch.isin(labels, labels.new_tensor(ids))


class Teacher(Frozen):
    """A frozen depth network at its own input size, with its own semantics where it is guided."""

    def __init__(self, path: Path) -> None:
        """Load a checkpoint; raises CheckpointError."""
        checkpoint = load_checkpoint(path, with_pose=False)
        self.info = checkpoint.info
        self.config = checkpoint.info.network
        self._model = DepthModel(checkpoint.depth, checkpoint.semantic)

    @torch.no_grad()
    def depth(self, image: Tensor) -> Tensor:
        """Depth (B, 1, H, W) in the teacher's units of (B, 3, H, W) images in 0..1, at the images' size."""
        model = self._model.to(image.device)
        size = (self.config.height, self.config.width)
        shown = image
        if image.shape[-2:] != size:
            shown = F.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)
        disparity = model.disparity(shown, model.semantics(shown))
        return model.metres(disparity, (image.shape[-2], image.shape[-1]))

    def scale(self, camera: TrainingCamera) -> tuple[float, str]:
        """Metres per network unit, and where that comes from, of a student that learns this teacher's depth.

        What looks twice as large is to a network half as far away, so that the ratio of focal lengths goes into the
        scale. Where the teacher does not say what it learnt from, or the cameras squeeze their pictures differently,
        so that there are two ratios, the scale is not taken over or the cameras are trusted to be alike.

        Args:
            camera: the student's camera, at any size.
        """
        ours = self.info.camera
        if ours is not None:
            across = camera.fx / camera.width * ours.width / ours.fx
            down = camera.fy / camera.height * ours.height / ours.fy
            if abs(across / down - 1) > SAME_SHAPE or self.info.scale_source == "none":
                return 1.0, "none"
            return self.info.scale * math.sqrt(across * down), self.info.scale_source
        return self.info.scale, self.info.scale_source
