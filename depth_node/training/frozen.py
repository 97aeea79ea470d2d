"""Trained networks that only help in training: a teacher to learn from, semantics to be guided by.

Deliberately no `nn.Module`s: as submodules their weights would be trained and saved along with the network's.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.geometry.disparity import disparity_to_depth
from depth_node.networks.checkpoint import load_checkpoint
from depth_node.networks.semantic import SemanticNetwork
from depth_node.networks.semantic_checkpoint import load_semantic
from depth_node.networks.semantic_info import SemanticInfo


class FrozenSemantics:
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


class Teacher:
    """A frozen depth network at its own input size, with its own semantics where it is guided."""

    def __init__(self, path: Path) -> None:
        """Load a checkpoint; raises CheckpointError."""
        checkpoint = load_checkpoint(path, with_pose=False)
        self.config = checkpoint.info.network
        self._network = checkpoint.depth.eval().requires_grad_(False)
        info, semantic = checkpoint.info.semantic, checkpoint.semantic
        self._semantics = FrozenSemantics(info, semantic) if info and semantic and self.config.guided else None

    @torch.no_grad()
    def depth(self, image: Tensor) -> Tensor:
        """Depth (B, 1, H, W) in the teacher's units of (B, 3, H, W) images in 0..1, at the images' size."""
        self._network.to(image.device)
        size = (self.config.height, self.config.width)
        shown = image
        if image.shape[-2:] != size:
            shown = F.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)
        maps = self._semantics.maps(shown) if self._semantics else None
        disparity = self._network(shown, scales=1, semantic_maps=maps)[0]
        disparity = F.interpolate(disparity, image.shape[-2:], mode="bilinear", align_corners=False)
        return disparity_to_depth(disparity, self.config.min_depth, self.config.max_depth)
