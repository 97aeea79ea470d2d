# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The networks as they are exported: metres for everybody, and the disparities that the live node makes its own of."""

from __future__ import annotations

from torch import Tensor

from depth_node.config.network import DEPTH, DISPARITIES, LOGITS
from depth_node.networks.depth_model import DepthModel
from depth_node.networks.factory import DepthNetwork
from depth_node.networks.semantic import SemanticNetwork


class ExportedModel(DepthModel):
    """See `DepthModel`; gives the disparities of all scales too, from which the live node tells confidence.

    The three coarse heads cost a thousandth of a network.
    """

    def __init__(
        self, depth_network: DepthNetwork, semantic_network: SemanticNetwork | None = None, scale: float = 1.0
    ) -> None:
        """Take over the networks."""
        super().__init__(depth_network, semantic_network, scale)
        self.outputs = (*self.outputs, *DISPARITIES)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Predict a batch.

        Args:
            image: (B, 3, H, W) float32 RGB in [0, 1] at the network's size.

        Returns:
            'depth' (B, 1, H, W) in metres along the optical axis (network units where the checkpoint has no scale),
            sky as far as the network sees it; with a semantic network also 'logits' (B, N, H / 4, W / 4), one score
            per class of the semantic network; 'disparity_0' to 'disparity_3' (B, 1, H / 2^i, W / 2^i), 0 to 1, which
            metres were made of.
        """
        semantic = self.semantics(image, wanted=True)
        disparities = self.disparities(image, semantic)
        found = {DEPTH: self.metres(disparities[0])}
        if semantic is not None:
            found[LOGITS] = semantic.logits
        return found | dict(zip(DISPARITIES, disparities, strict=True))
