# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The guided forward pass, the only one: semantic network, depth network guided by its maps, metres.

Live node, export, resampling and teacher all run this module. Its stages stand alone (`semantics`, `disparity`,
`metres`), so that each can be timed, captured or replaced; none of them asks where its tensors lie.
"""

from __future__ import annotations

from torch import Tensor, nn

from depth_node.config.network import DEPTH, LOGITS, SCALES, NetworkConfig
from depth_node.geometry.disparity import resized_depth
from depth_node.networks.factory import DepthNetwork
from depth_node.networks.semantic import SemanticNetwork, SemanticOutput


class DepthModel(nn.Module):
    """Depth network, semantic network where there is one, depth range and scale; evaluation only.

    Attributes:
        depth_network: image to disparity; its configuration has the depth range.
        semantic_network: image to semantic maps and class scores, or None.
        scale: metres per network unit; may be changed at any time.
        outputs: names of what `forward` returns, in order.
    """

    def __init__(
        self, depth_network: DepthNetwork, semantic_network: SemanticNetwork | None = None, scale: float = 1.0
    ) -> None:
        """Take over the networks; they get no gradients any more."""
        super().__init__()
        self.depth_network, self.semantic_network, self.scale = depth_network, semantic_network, scale
        self.outputs = (DEPTH,) if semantic_network is None else (DEPTH, LOGITS)
        self.eval().requires_grad_(False)

    @property
    def config(self) -> NetworkConfig:
        """Architecture, input size and depth range of the depth network."""
        return self.depth_network.config

    def semantics(self, image: Tensor, wanted: bool = False) -> SemanticOutput | None:
        """Maps and scores of a batch, or None where there is no semantic network or nothing needs it.

        Args:
            image: (B, 3, H, W) float32 RGB in [0, 1] at the network's size.
            wanted: the scores are wanted, also where the depth network is not guided.
        """
        if self.semantic_network is None or not (wanted or self.config.guided):
            return None
        found: SemanticOutput = self.semantic_network(image)
        return found

    def disparity(self, image: Tensor, semantic: SemanticOutput | None = None) -> Tensor:
        """(B, 1, H, W) float32 disparity, 0 to 1, of the batch that `semantic` was made from."""
        return self.disparities(image, semantic, 1)[0]

    def disparities(self, image: Tensor, semantic: SemanticOutput | None = None, scales: int = SCALES) -> list[Tensor]:
        """The finest `scales` disparities (B, 1, H / 2^i, W / 2^i), 0 to 1, of the batch that `semantic` is of."""
        found: list[Tensor] = self.depth_network(image, scales, semantic.maps if semantic else None)
        return found

    def metres(self, disparity: Tensor, size: tuple[int, int] | None = None) -> Tensor:
        """Depth in metres (network units at scale 1) of disparity.

        Args:
            disparity: (B, 1, H, W), as `disparity` gives it.
            size: height and width of the result. Disparity, which is linear in inverse depth, is interpolated
                bilinearly with half-pixel centres, exact on planes; None keeps its size.

        Returns:
            (B, 1, height, width) float32, along the optical axis.
        """
        return self.scale * resized_depth(disparity, self.config.min_depth, self.config.max_depth, size)

    def compile_networks(self) -> None:
        """Let torch.compile make kernels of both networks with their first pass."""
        for network in self.children():
            network.compile()

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Predict a batch.

        Scores rather than labels: they can be resized to any picture before the best class is taken
        (`SemanticNetwork.labels`), say how sure they are, and can be compared between runtimes.

        Args:
            image: (B, 3, H, W) float32 RGB in [0, 1] at the network's size.

        Returns:
            'depth' (B, 1, H, W) in metres along the optical axis (network units where the checkpoint has no scale),
            sky as far as the network sees it; with a semantic network also 'logits' (B, N, H / 4, W / 4), one score
            per class of the semantic network.
        """
        semantic = self.semantics(image, wanted=True)
        depth = {DEPTH: self.metres(self.disparity(image, semantic))}
        return depth if semantic is None else depth | {LOGITS: semantic.logits}
