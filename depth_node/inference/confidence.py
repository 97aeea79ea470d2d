# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How sure predicted depth is: by how well the decoder's scales agree.

A decoder predicts depth at four sizes, each refining the one before. Where they agree the picture leaves no choice; at
edges, on thin things and on what the network does not know they differ. It costs three small convolutions and needs no
training of its own. Far away things are less sure than near ones at equal disagreement, by about the root of distance
(measured by sparsification, docs/results.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from depth_node.config.network import NetworkConfig
from depth_node.geometry.disparity import disparity_to_depth

if TYPE_CHECKING:
    from torch import Tensor

BLUR = 9
"""Pixels across which disagreement is averaged: neighbours of what is doubtful are doubtful."""
USUAL = 10.0
"""Metres at which disagreement counts as it is."""
DOUBT = 0.1
"""Relative disagreement at which confidence has fallen to 1 / e."""
SURE = 255


def uncertainty(disparities: Sequence[Tensor], config: NetworkConfig, scale: float) -> Tensor:
    """Standard deviation of the logarithm of depth over the scales, weighted by distance; not a calibrated error.

    Args:
        disparities: (B, 1, H / 2^i, W / 2^i) in 0..1, finest first, at least two.
        config: with the network's depth range.
        scale: metres per network unit.

    Returns:
        (B, 1, H, W) float32, 0 where all scales agree.
    """
    import torch
    import torch.nn.functional as F

    size = disparities[0].shape[-2:]
    logs = [
        disparity_to_depth(
            F.interpolate(disparity.float(), size, mode="bilinear", align_corners=False),
            config.min_depth,
            config.max_depth,
        ).log()
        for disparity in disparities
    ]
    spread = torch.stack(logs).std(0)
    around = F.avg_pool2d(spread, BLUR, 1, BLUR // 2, count_include_pad=False)
    return around * (logs[0].exp() * (scale / USUAL)).sqrt()


def confidence_of(doubt: Tensor) -> Tensor:
    """Doubt as `uncertainty` gives it to uint8 confidence: 255 sure, 94 at a disagreement of a tenth, 0 none."""
    return (SURE * (-doubt / DOUBT).exp()).round().byte()
