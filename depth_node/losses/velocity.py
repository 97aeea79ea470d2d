"""Metric scale from the vehicle's own speed (PackNet-SfM's "velocity supervision"; fact sheet A.4).

Neither paper of this project trains with it: it is off unless asked for.
"""

from __future__ import annotations

from torch import Tensor


def velocity_loss(T_source_target: Tensor, distance: Tensor) -> Tensor:
    """Mean of | ||t|| - distance | over the sources whose distance is known.

    Args:
        T_source_target: (B, S, 4, 4) predicted motion; its translation t comes to be in the unit of `distance`.
        distance: (B, S) metres between the cameras, NaN where it is not known.

    Returns:
        Scalar loss, 0 where no distance is known.
    """
    known = ~distance.isnan()
    # The small number keeps the gradient finite at t = 0.
    length = (T_source_target[..., :3, 3].square().sum(-1) + 1e-12).sqrt()
    differences = (length - distance.nan_to_num()).abs() * known
    return differences.sum() / known.sum().clamp_min(1)
