# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How steady depth is from picture to picture: flicker and temporal consistency of static things, on recorded drives.

No measured depth is needed. The camera's motion comes from a pose file where there is one (KITTI's odometry format),
and else from the pictures; with poses the prediction's unit is brought to metres first, by triangulation.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from depth_node.errors import EvaluationError
from depth_node.evaluation.tables import TextTable
from depth_node.inference.estimator import DepthEstimator
from depth_node.kitti.layout import KittiSequence
from depth_node.scale.consistency import Consistency, consistency
from depth_node.scale.depth_frame import DepthFrame, Matrix, NoReading
from depth_node.scale.flicker import FlickerFilter, motion_between
from depth_node.scale.triangulation import scale_of_way

logger = logging.getLogger(__name__)

FRAME_NS = 100_000_000
"""Time between frames of a drive without time stamps: KITTI's."""
WAYS = 60
"""Pairs of pictures that the unit of depth is triangulated on."""


@dataclass(frozen=True)
class Steadiness:
    """How steady a drive's depth is.

    Attributes:
        pairs: consecutive pictures that were compared.
        flicker: standard deviation of the change of unit from picture to picture, relative.
        worst: what 95 % of the changes stay within.
        error: mean relative difference of static pixels to where the picture before puts them (TC).
        opw: the same in metres (in the prediction's unit without poses).
    """

    pairs: int
    flicker: float
    worst: float
    error: float
    opw: float

    @classmethod
    def of(cls, found: Sequence[Consistency]) -> Steadiness:
        """Summarise pairs; raises EvaluationError where there are none."""
        if not found:
            raise EvaluationError("no two pictures in a row could be compared: do they show something static?")
        changes = np.array([each.change for each in found])
        return cls(
            len(found),
            float(changes.std()),
            float(np.percentile(np.abs(changes), 95)),
            float(np.mean([each.error for each in found])),
            float(np.mean([each.opw for each in found])),
        )


def read_poses(path: Path) -> list[Matrix]:
    """Poses of a file in the format of KITTI's odometry benchmark: 12 numbers a line, T_first_camera (3, 4), metres.

    Raises:
        EvaluationError: the file cannot be read or has another form.
    """
    try:
        rows = np.loadtxt(path, ndmin=2)
    except (OSError, ValueError) as error:
        raise EvaluationError(f"cannot read poses {path}: {error}") from None
    if rows.shape[1:] != (12,) or not np.isfinite(rows).all():
        raise EvaluationError(f"{path} has {rows.shape[-1]} numbers a line, poses have 12 (KITTI's odometry format)")
    return [np.vstack([row.reshape(3, 4), [0.0, 0.0, 0.0, 1.0]]) for row in rows]


def measure_steadiness(
    frames: Sequence[DepthFrame | None], poses: Sequence[Matrix] | None = None
) -> tuple[Steadiness, Steadiness]:
    """As predicted, and after the filter of the live node.

    Args:
        frames: predictions in the order of time; None for frames that are missing.
        poses: T_first_camera of each, metres.

    Raises:
        EvaluationError: no two pictures could be compared, or poses are not one per frame.
    """
    if poses is not None and len(poses) != len(frames):
        raise EvaluationError(f"{len(poses)} poses for {len(frames)} frames: they are not of one drive")
    unit = 1.0 if poses is None else math.exp(_unit(frames, poses))
    flicker = FlickerFilter()
    steady = [None if frame is None else frame.times(flicker.update(frame)) for frame in frames]
    return Steadiness.of(list(_compared(frames, poses, unit))), Steadiness.of(list(_compared(steady, poses, unit)))


def _compared(
    frames: Sequence[DepthFrame | None], poses: Sequence[Matrix] | None, unit: float
) -> Iterator[Consistency]:
    for number, (first, second) in enumerate(pairwise(frames)):
        if first is None or second is None:
            continue
        try:
            if poses is None:
                moved = motion_between(first, second)
            else:
                moved = np.asarray(np.linalg.inv(poses[number + 1]) @ poses[number])
            yield consistency(first.times(unit), second.times(unit), moved, math.inf if poses is None else 80.0)
        except NoReading:
            continue


def _unit(frames: Sequence[DepthFrame | None], poses: Sequence[Matrix]) -> float:
    """Logarithm of metres per unit of the predictions."""
    found = []
    for number in np.linspace(0, len(frames) - 2, min(WAYS, len(frames) - 1)).astype(int):
        first, second = frames[number], frames[number + 1]
        if first is None or second is None:
            continue
        try:
            moved = np.asarray(np.linalg.inv(poses[number + 1]) @ poses[number])
            found.append(scale_of_way(first, second, moved).log_scale)
        except NoReading:
            continue
    if not found:
        raise EvaluationError("poses and pictures do not belong together, or the camera hardly moves")
    return float(np.median(found))


def predict_frames(estimator: DepthEstimator, sequence: KittiSequence) -> Iterator[DepthFrame | None]:
    """Every frame of a drive from the first to the last; None for those that are missing."""
    stamps: Sequence[int] = ()
    if (sequence.folder / sequence.camera / "timestamps.txt").is_file():
        stamps = sequence.stamps_ns
    for index in range(sequence.frames[0], sequence.frames[-1] + 1):
        if index not in sequence.image_paths:
            yield None
            continue
        stamp = stamps[index] if index < len(stamps) else index * FRAME_NS
        found = estimator.estimate(sequence.calibrated_image(index), sequence.K, sky_infinite=False)
        yield DepthFrame.of(found, estimator.classes, stamp_ns=stamp)


def steadiness_table(rows: Sequence[tuple[str, Steadiness, Steadiness]], with_poses: bool) -> TextTable:
    """One row a checkpoint and drive as predicted, one below it with smoothing."""
    by = "motion by poses" if with_poses else "motion by the pictures"
    unit = "opw [m]" if with_poses else "opw [as predicted]"
    headings = ("", "pairs", "flicker [%]", "95 % within [%]", "TC error [%]", unit)
    cells = []
    for name, *both in rows:
        for label, each in zip((name, f"{name}, smoothed"), both, strict=True):
            numbers = (100 * each.flicker, 100 * each.worst, 100 * each.error, each.opw)
            cells.append((label, str(each.pairs), *(f"{number:.2f}" for number in numbers)))
    return TextTable(f"steadiness of static pixels, {by}", headings, tuple(cells))
