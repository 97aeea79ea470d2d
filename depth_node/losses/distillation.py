"""Learning from a teacher's depth (HR-Depth, for Lite-HR-Depth; the paper's formula is unknown, fact sheet B.7)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.geometry.disparity import disparity_to_depth


def distillation_loss(
    disparities: Sequence[Tensor], teacher_depth: Tensor, min_depth: float, max_depth: float
) -> Tensor:
    """Mean over scales and pixels of |log student depth - log teacher depth|.

    The logarithm weighs near and far alike, and hands the teacher's scale over to the student.

    Args:
        disparities: the student's sigmoid disparities (B, 1, H / 2^i, W / 2^i), finest first.
        teacher_depth: (B, 1, H, W), network units, no gradient.
        min_depth: the student's depth at disparity 1.
        max_depth: the student's depth at disparity 0.

    Returns:
        Scalar loss.
    """
    wanted, size = teacher_depth.log(), teacher_depth.shape[-2:]
    terms = []
    for disparity in disparities:
        full = F.interpolate(disparity, size, mode="bilinear", align_corners=False)
        terms.append((disparity_to_depth(full, min_depth, max_depth).log() - wanted).abs().mean())
    return torch.stack(terms).mean()
