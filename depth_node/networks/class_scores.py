# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Scores of classes to classes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def best_classes(logits: Tensor, height: int, width: int) -> Tensor:
    """Most likely class of each pixel, (B, height, width) uint8, from (B, N, h, w) scores."""
    return F.interpolate(logits, (height, width), mode="bilinear", align_corners=False).argmax(1).to(torch.uint8)
