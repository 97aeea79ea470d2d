# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far the vehicle drove between two frames, from the speed in its oxts files."""

from __future__ import annotations

import math

from depth_node.kitti.formats import read_oxts
from depth_node.kitti.layout import KittiSequence
from depth_node.kitti.timestamps import SECOND


def driven_distance(sequence: KittiSequence, first: int, second: int) -> float:
    """Mean speed at two frames times the time between them.

    That the camera turns about the sensor is left out: over neighbouring frames it is centimetres.

    Args:
        sequence: the drive.
        first: index of a frame.
        second: index of another.

    Returns:
        Metres; NaN where a file, a measurement or a time is missing.

    Raises:
        SequenceError: a file is there but malformed.
    """
    stamps = sequence.stamps_ns if (sequence.folder / sequence.camera / "timestamps.txt").is_file() else ()
    if max(first, second) >= len(stamps):
        return math.nan
    seconds = abs(stamps[second] - stamps[first]) / SECOND
    return seconds * (speed(sequence, first) + speed(sequence, second)) / 2


def speed(sequence: KittiSequence, frame: int) -> float:
    """Speed at a frame, m/s; NaN where it was not measured."""
    path = sequence.oxts_path(frame)
    if not path.is_file():
        return math.nan
    packet = read_oxts(path)
    metres_per_second = math.hypot(packet.vf, packet.vl, packet.vu)
    # A drive without a speed sensor has zeros here. A measured speed of exactly 0 teaches nothing about scale either.
    return metres_per_second or math.nan
