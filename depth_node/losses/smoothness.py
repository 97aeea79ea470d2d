# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Edge-aware smoothness of mean-normalised disparity or inverse depth (docs/papers.md, Loss)."""

from __future__ import annotations

from torch import Tensor


def smoothness_loss(disparity: Tensor, image: Tensor) -> Tensor:
    """Mean absolute disparity gradient, let off where the image itself has an edge.

    Disparity is divided by its own mean per image, or the loss would reward shrinking it.

    Args:
        disparity: (B, 1, H, W) disparity (monodepth2) or inverse depth (TRI) in any unit.
        image: (B, 3, H, W) colours 0 to 1 at the same size.

    Returns:
        Scalar loss.
    """
    normalised = disparity / (disparity.mean((2, 3), keepdim=True) + 1e-7)
    across = (normalised[..., :, :-1] - normalised[..., :, 1:]).abs()
    down = (normalised[..., :-1, :] - normalised[..., 1:, :]).abs()
    edge_across = (image[..., :, :-1] - image[..., :, 1:]).abs().mean(1, keepdim=True)
    edge_down = (image[..., :-1, :] - image[..., 1:, :]).abs().mean(1, keepdim=True)
    return (across * (-edge_across).exp()).mean() + (down * (-edge_down).exp()).mean()
