# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which drives lie below a folder that a user named: a drive itself, a date folder or the root of a KITTI download."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from depth_node.errors import SequenceError
from depth_node.kitti.layout import LEFT, KittiSequence


def find_all_sequences(folders: Iterable[Path]) -> list[KittiSequence]:
    """The drives of several folders, see `find_sequences`; one that is named twice, by whatever path, comes once."""
    found: dict[Path, KittiSequence] = {}
    for folder in folders:
        for sequence in find_sequences(folder):
            found.setdefault(sequence.folder.resolve(), sequence)
    return list(found.values())


def is_drive(folder: Path) -> bool:
    """Whether a folder holds the left colour pictures of one drive."""
    return (folder / LEFT / "data").is_dir()


def find_sequences(folder: Path) -> list[KittiSequence]:
    """The drives at or up to two levels below a folder, left camera, in order of their names.

    Raises:
        SequenceError: the folder does not exist or holds no drive.
    """
    if not folder.is_dir():
        raise SequenceError(f"there is no folder {folder}: name a drive or the root folder of recorded drives")
    levels = ([folder], folder.glob("*"), folder.glob("*/*"))
    for level in levels:
        drives = sorted(path for path in level if is_drive(path))
        if drives:
            return [KittiSequence(drive) for drive in drives]
    raise SequenceError(f"{folder} holds no drive: expected <date>/<date>_drive_NNNN_sync/{LEFT}/data below it")
