# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Training and validation frames of a drive, in whole stretches that share no picture."""

from __future__ import annotations

import random
from collections.abc import Sequence

STRETCH = 50
"""About how many validation targets lie in a row, where their places are drawn."""


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


def split_drive(
    frames: int, val_fraction: float, context: int, key: tuple[int, int]
) -> tuple[Sequence[int], Sequence[int]]:
    """Split a drive into training targets and one or more stretches of validation targets, without a shared picture.

    Args:
        frames: number of frames of the drive.
        val_fraction: share of the targets for validation.
        context: frames on each side of a target.
        key: seed and something of the drive's own; seed 0 validates at the end of the drive, as `split_stretch` does,
            any other draws where the stretches lie.

    Returns:
        Indices of training and of validation targets, ascending.
    """
    if key[0] == 0:
        return split_stretch(frames, val_fraction, context)
    targets = range(context, frames - context)
    wanted = round(val_fraction * len(targets))
    count = max(round(wanted / STRETCH), 1)
    # One slot of the drive for each stretch, which lies at a drawn place in its slot.
    slot = len(targets) // count
    length = max(wanted // count, 1)
    if val_fraction == 0 or slot < length + 4 * context + 1:
        return split_stretch(frames, val_fraction, context)
    draw = random.Random(f"{key[0]}/{key[1]}")
    val: list[int] = []
    for number in range(count):
        first = targets.start + number * slot + draw.randrange(slot - length + 1)
        val += range(first, first + length)
    used = {index + offset for index in val for offset in range(-2 * context, 2 * context + 1)}
    return [index for index in targets if index not in used], val
