# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Cross entropy of semantic scores at 1/4 of the labels' size."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.config.classes import UNLABELLED


def semantic_loss(logits: Tensor, labels: Tensor, weights: Tensor | None = None, pixels: int = 0) -> Tensor:
    """Mean cross entropy over the labelled pixels, at the labels' size.

    Args:
        logits: (B, N, h, w) scores, interpolated bilinearly.
        labels: (B, H, W) uint8 class numbers; UNLABELLED is left out.
        weights: (N,) weight of each class; without it all count alike.
        pixels: pixels to draw at random from each picture; 0 takes all. At a few thousand the loss costs a fraction
            and has the same expectation.

    Returns:
        () float32; zero where nothing is labelled.
    """
    logits = logits.float()
    if pixels:
        places = 2 * torch.rand(len(logits), pixels, 1, 2, device=logits.device) - 1
        scores = F.grid_sample(logits, places, mode="bilinear", padding_mode="border", align_corners=False)
        drawn = F.grid_sample(labels[:, None].float(), places, mode="nearest", align_corners=False)
        target = drawn[:, 0].long()
    else:
        scores = F.interpolate(logits, labels.shape[-2:], mode="bilinear", align_corners=False)
        target = labels.long()
    summed = F.cross_entropy(scores, target, weights, ignore_index=UNLABELLED, reduction="sum")
    known = target[target != UNLABELLED]
    total = weights[known].sum() if weights is not None else known.numel()
    return summed / max(float(total), 1e-6)
