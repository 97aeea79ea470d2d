"""A trained network that another one learns from."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.geometry.disparity import disparity_to_depth
from depth_node.networks.checkpoint import load_checkpoint


class Teacher:
    """A frozen depth network at its own input size.

    Deliberately no `nn.Module`: as a submodule its weights would be trained and saved along with the student's.
    """

    def __init__(self, path: Path) -> None:
        """Load a checkpoint; raises CheckpointError."""
        checkpoint = load_checkpoint(path, with_pose=False)
        self.config = checkpoint.info.network
        self._network = checkpoint.depth.eval().requires_grad_(False)

    @torch.no_grad()
    def depth(self, image: Tensor) -> Tensor:
        """Depth (B, 1, H, W) in the teacher's units of (B, 3, H, W) images in 0..1, at the images' size."""
        self._network.to(image.device)
        size = (self.config.height, self.config.width)
        shown = image
        if image.shape[-2:] != size:
            shown = F.interpolate(image, size, mode="bilinear", align_corners=False, antialias=True)
        disparity = self._network(shown, scales=1)[0]
        disparity = F.interpolate(disparity, image.shape[-2:], mode="bilinear", align_corners=False)
        return disparity_to_depth(disparity, self.config.min_depth, self.config.max_depth)
