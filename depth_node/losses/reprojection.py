# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Minimum reprojection and auto-masking over several source frames (monodepth2 sections 3.1 and 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Reprojection:
    """Per-pixel result of the choice among sources.

    Attributes:
        error: (B, 1, H, W) error that is optimised; at masked pixels it is the (constant) identity error.
        moving: (B, 1, H, W) bool, true where a warp beats standing still, that is where the pixel teaches.
    """

    error: Tensor
    moving: Tensor


def minimum_reprojection(warped: Tensor, identity: Tensor | None, minimum: bool = True) -> Reprojection:
    """Take each pixel from the source that explains it best, and ignore pixels that best match without motion.

    Args:
        warped: (B, S, H, W) photometric error of each warped source.
        identity: (B, S, H, W) error of each source as it is, or None to switch auto-masking off. monodepth2 adds a
            little noise to it, so that ties go to a random side and a still frame teaches half its pixels; TRI does
            not, and a tie teaches nothing.
        minimum: off takes the mean over the sources instead, as before monodepth2.

    Returns:
        The errors and the mask.
    """
    best = combine(warped, minimum)
    if identity is None:
        return Reprojection(best, torch.ones_like(best, dtype=torch.bool))
    still = combine(identity, minimum)
    return Reprojection(torch.minimum(best, still), best < still)


def combine(errors: Tensor, minimum: bool = True) -> Tensor:
    """(B, S, H, W) errors of all sources to (B, 1, H, W): their minimum, or their mean."""
    return errors.amin(1, keepdim=True) if minimum else errors.mean(1, keepdim=True)
