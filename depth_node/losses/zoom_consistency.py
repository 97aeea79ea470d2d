# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth of an enlarged part of a picture against that of the whole, after RA-Depth (arXiv 2207.11984, section 3.3).

RA-Depth asks for the same depth at every size. Here depth is told for the training camera's focal length: what is
enlarged twice is what a camera of twice the focal length sees, and has to come out half as far. The live node
multiplies by the ratio of focal lengths, which brings it back.
"""

from __future__ import annotations

import torch
from torch import Tensor

from depth_node.geometry.disparity import disparity_to_depth


def zoom_loss(part: Tensor, enlarged: Tensor, factor: Tensor, min_depth: float, max_depth: float) -> Tensor:
    """Mean difference of the logarithms of depth.

    Args:
        part: (B, 1, H, W) disparities of the whole picture, of which the part was taken.
        enlarged: (B, 1, H, W) disparities of the enlarged part.
        factor: (B,) how much it was enlarged.
        min_depth: depth at disparity 1.
        max_depth: depth at disparity 0.

    Returns:
        Scalar loss.
    """
    whole, near = (disparity_to_depth(disparity, min_depth, max_depth) for disparity in (part, enlarged))
    told = near * factor.reshape(-1, 1, 1, 1)
    # Beyond what the network can say nothing can be asked of it.
    known = (whole < max_depth) & (told < max_depth * 0.98)
    difference = (told.log() - whole.log()).abs()
    return torch.where(known, difference, 0.0).sum() / known.sum().clamp_min(1)
