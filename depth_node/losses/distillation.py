# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Learning from a teacher's depth (HR-Depth, for Lite-HR-Depth); the formula is ours (docs/papers.md, Distillation)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.geometry.disparity import depth_to_disparity, disparity_to_depth


def distillation_loss(
    disparities: Sequence[Tensor],
    teacher_depth: Tensor,
    min_depth: float,
    max_depth: float,
    compare: str = "log_depth",
) -> Tensor:
    """Mean over scales and pixels of the difference to a teacher, each scale enlarged to full resolution.

    Either difference hands the teacher's scale over to the student.

    Args:
        disparities: the student's sigmoid disparities (B, 1, H / 2^i, W / 2^i), finest first.
        teacher_depth: (B, 1, H, W), network units, no gradient.
        min_depth: the student's depth at disparity 1.
        max_depth: the student's depth at disparity 0.
        compare: 'log_depth' for |log student depth - log teacher depth|, which weighs near and far alike, or
            'disparity' for |student disparity - teacher disparity|, both in the student's depth range.

    Returns:
        Scalar loss.
    """
    size = teacher_depth.shape[-2:]
    if compare == "disparity":
        wanted = depth_to_disparity(teacher_depth, min_depth, max_depth).clamp(0, 1)
    else:
        wanted = teacher_depth.log()
    terms = []
    for disparity in disparities:
        full = F.interpolate(disparity, size, mode="bilinear", align_corners=False)
        seen = full if compare == "disparity" else disparity_to_depth(full, min_depth, max_depth).log()
        terms.append((seen - wanted).abs().mean())
    return torch.stack(terms).mean()
