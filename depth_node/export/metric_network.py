# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A whole checkpoint as one module: a picture in, metres and class scores out. This is what other programs get."""

from __future__ import annotations

from torch import Tensor, nn

from depth_node.checkpoints.depth import Checkpoint
from depth_node.geometry.disparity import disparity_to_depth

INPUT = "image"
DEPTH, LOGITS = "depth", "logits"


class MetricDepthNetwork(nn.Module):
    """Depth network, semantic network where there is one, scale and depth range.

    It gives class scores rather than labels: scores can be resized to any picture before the best class is taken
    (`SemanticNetwork.labels`), say how sure they are, and can be compared between runtimes.

    Attributes:
        info: the checkpoint's description.
        outputs: names of what `forward` returns, in order.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Take over a checkpoint's networks; they get no gradients any more."""
        super().__init__()
        self.info = checkpoint.info
        self.depth_network = checkpoint.depth
        self.semantic_network = checkpoint.semantic
        self.outputs = (DEPTH,) if checkpoint.semantic is None else (DEPTH, LOGITS)
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Predict a batch.

        Args:
            image: (B, 3, H, W) float32 RGB in [0, 1] at the network's size.

        Returns:
            'depth' (B, 1, H, W) in metres along the optical axis (network units where the checkpoint has no scale),
            sky as far as the network sees it; with a semantic network also 'logits' (B, N, H / 4, W / 4), one score
            per class of `info.semantic.classes`.
        """
        scores: dict[str, Tensor] = {}
        maps = None
        if self.semantic_network is not None:
            semantics = self.semantic_network(image)
            maps, scores = semantics.maps, {LOGITS: semantics.logits}
        disparity = self.depth_network(image, scales=1, semantic_maps=maps)[0]
        network = self.info.network
        depth = disparity_to_depth(disparity, network.min_depth, network.max_depth)
        return {DEPTH: self.info.scale * depth} | scores
