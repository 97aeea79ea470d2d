# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metric scale from the vehicle's own speed (PackNet-SfM's "velocity supervision"; docs/papers.md, Loss).

Neither paper of this project trains with it: it is off unless asked for.
"""

from __future__ import annotations

from torch import Tensor


def velocity_loss(T_source_target: Tensor, distance: Tensor) -> Tensor:
    """Mean of | ||t|| - distance | over the sources whose distance is known, 0 for an image without any.

    Args:
        T_source_target: (B, S, 4, 4) predicted motion; its translation t comes to be in the unit of `distance`.
        distance: (B, S) metres between the cameras, NaN where it is not known.

    Returns:
        Scalar loss.
    """
    known = ~distance.isnan()
    # The small number keeps the gradient finite at t = 0.
    length = (T_source_target[..., :3, 3].square().sum(-1) + 1e-12).sqrt()
    differences = (length - distance.nan_to_num()).abs() * known
    # Image by image, so that a batch may be shared among processes.
    return (differences.sum(1) / known.sum(1).clamp_min(1)).mean()
