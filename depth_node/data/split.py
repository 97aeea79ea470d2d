"""Training and validation frames of a drive, in whole stretches that share no picture."""

from __future__ import annotations

from collections.abc import Sequence


def split_stretch(frames: int, val_fraction: float, context: int) -> tuple[Sequence[int], Sequence[int]]:
    """Split a drive into training targets at its front and validation targets at its end.

    A target uses the `context` frames before and after it; no frame used by a validation target is used by a
    training target, which costs 2 * context frames between the two stretches.

    Args:
        frames: number of frames of the drive.
        val_fraction: share of the targets for validation; at least one, where the drive is long enough for both.
        context: frames on each side of a target.

    Returns:
        Indices of training and of validation targets.
    """
    targets = range(context, frames - context)
    wanted = max(round(val_fraction * len(targets)), 1) if val_fraction > 0 else 0
    if wanted == 0 or len(targets) < wanted + 2 * context + 1:
        return targets, range(0)
    first_val = targets.stop - wanted
    return range(targets.start, first_val - 2 * context), range(first_val, targets.stop)
