"""Minimum reprojection and auto-masking over several source frames (monodepth2 sections 3.1 and 3.2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

TIE_BREAK = 1e-5


@dataclass(frozen=True)
class Reprojection:
    """Per-pixel result of the minimum over sources.

    Attributes:
        error: (B, 1, H, W) error that is optimised; at masked pixels it is the (constant) identity error.
        moving: (B, 1, H, W) bool, true where a warp beats standing still, that is where the pixel teaches.
    """

    error: Tensor
    moving: Tensor


def minimum_reprojection(warped: Tensor, identity: Tensor | None) -> Reprojection:
    """Take each pixel from the source that explains it best, and ignore pixels that best match without motion.

    Args:
        warped: (B, S, H, W) photometric error of each warped source.
        identity: (B, S, H, W) error of each source as it is, or None to switch auto-masking off.

    Returns:
        The minimum and the mask. Ties go to a random side, so that a still frame teaches nothing.
    """
    best = warped.amin(1, keepdim=True)
    if identity is None:
        return Reprojection(best, torch.ones_like(best, dtype=torch.bool))
    still = identity.amin(1, keepdim=True)
    still = still + torch.randn_like(still) * TIE_BREAK
    return Reprojection(torch.minimum(best, still), best < still)
