# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From the lines of a split file to frames: what is not there is left out and counted, or refused on request.

Published splits name all of KITTI, both sides of it; hardly anybody has all of that on a disk.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path

from depth_node.errors import SequenceError
from depth_node.kitti.layout import FrameReference, KittiSequence, sequence_of

logger = logging.getLogger(__name__)

Frame = tuple[KittiSequence, int]


def locate(
    roots: Sequence[Path], references: Iterable[FrameReference], neighbours: Sequence[int] = (), strict: bool = False
) -> list[Frame]:
    """The frames of a split that are there, in its order.

    Args:
        roots: folders that the split's drives may be below; of two the first counts.
        references: the split.
        neighbours: offsets of frames that a frame is of no use without.
        strict: raise where anything is missing, rather than say how much.

    Raises:
        SequenceError: nothing of it is there, or, where `strict`, not all.
    """
    known: dict[tuple[str, str], KittiSequence | None] = {}
    found: list[Frame] = []
    missing: list[FrameReference] = []
    for reference in references:
        key = reference.folder, reference.side
        if key not in known:
            known[key] = _sequence(roots, reference)
        sequence, wanted = known[key], (reference.index + offset for offset in (0, *neighbours))
        if sequence is not None and all(index in sequence.image_paths for index in wanted):
            found.append((sequence, reference.index))
        else:
            missing.append(reference)
    if missing:
        line = _describe(roots, missing, known, len(found), bool(neighbours))
        if strict or not found:
            raise SequenceError(line)
        logger.warning("%s; they are left out", line)
    return found


def _sequence(roots: Sequence[Path], reference: FrameReference) -> KittiSequence | None:
    """The drive of a line with its pictures, or None where there are none of them."""
    for root in roots:
        if (root / reference.folder).is_dir():
            sequence = sequence_of(root, reference)
            # A folder with pictures that cannot be read is no folder without.
            return sequence if (sequence.folder / sequence.camera / "data").is_dir() else None
    return None


def _describe(
    roots: Sequence[Path],
    missing: Sequence[FrameReference],
    known: dict[tuple[str, str], KittiSequence | None],
    found: int,
    neighbours: bool,
) -> str:
    absent = [f"{folder} {side}" for (folder, side), sequence in known.items() if sequence is None]
    where = " or ".join(map(str, roots))
    line = f"{len(missing)} of {len(missing) + found} frames of the split are not below {where}"
    if absent:
        return f"{line}, among them all of {len(absent)} drives, for example '{absent[0]}'"
    needs = " with a picture before and after them" if neighbours else ""
    return f"{line}{needs}, for example '{missing[0]}'"
