# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Drives of several folders as one training set: one root, and split lines relative to it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from depth_node.datasets.triplets import split_references
from depth_node.kitti.layout import FrameReference


def join_roots(
    folders: Sequence[Path], splits: Path | None = None
) -> tuple[Path, list[FrameReference], list[FrameReference]]:
    """The root to train on, and the frames that train and that validate.

    Args:
        folders: drives, or roots that hold drives. The root of one folder is that folder; of several, the folder that
            holds them all.
        splits: folder of split files relative to that root; without it those of each folder, or its last tenths.

    Raises:
        SequenceError: a folder holds no drive, or a split file cannot be read.
    """
    if len(folders) == 1:
        return folders[0], *split_references(folders[0], splits)
    root = Path(os.path.commonpath([folder.absolute() for folder in folders]))
    if splits is not None:
        return root, *split_references(root, splits)
    train: list[FrameReference] = []
    val: list[FrameReference] = []
    for folder in folders:
        below = folder.absolute().relative_to(root)
        for part, found in zip((train, val), split_references(folder), strict=True):
            part += [replace(each, folder=str(below / each.folder)) for each in found]
    return root, train, val
