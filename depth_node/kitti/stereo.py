# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The other picture of a stereo pair, and what the baseline says about scale (docs/papers.md, Loss).

Training takes every pair for `NOMINAL_BASELINE` apart. The true baseline, from the calibration, tells afterwards how
many metres a network unit is: 5.4 for KITTI's 0.54 m.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import numpy as np

from depth_node.errors import SequenceError
from depth_node.kitti.layout import LEFT, RIGHT, KittiSequence

NOMINAL_BASELINE = 0.1
"""Distance between the cameras of any pair in network units, as in monodepth2."""

SAME_BASELINE = 0.02
"""Largest relative difference between the baselines of drives that are trained on together."""


@cache  # one object for each, which lists its pictures once
def partner(sequence: KittiSequence) -> KittiSequence:
    """The other colour camera of the same drive."""
    return replace(sequence, camera=RIGHT if sequence.camera == LEFT else LEFT)


def has_partner(sequence: KittiSequence, frame: int) -> bool:
    """Whether the other camera has a picture of a frame."""
    other = partner(sequence)
    return (other.folder / other.camera / "data").is_dir() and frame in other.image_paths


def nominal_offset(sequence: KittiSequence) -> float:
    """Place of this camera's centre along x in its partner's frame, network units: negative for the left."""
    return -NOMINAL_BASELINE if sequence.camera == LEFT else NOMINAL_BASELINE


def true_baseline(sequence: KittiSequence) -> float:
    """Metres between the two cameras of a drive, by `P_rect_02` and `P_rect_03`.

    Raises:
        SequenceError: the calibration is missing, or describes no stereo pair: the right camera is not to the right of
            the left one, or its intrinsics differ.
    """
    left, right = (replace(sequence, camera=camera).calibration for camera in (LEFT, RIGHT))
    if not np.allclose(left.K, right.K, rtol=1e-3):
        raise SequenceError(f"{sequence.day}: cameras 2 and 3 differ in their intrinsics, train without --stereo")
    # The last column of P_rect is K times the offset from camera 0.
    baseline = float((left.projection[0, 3] - right.projection[0, 3]) / left.K[0, 0])
    if baseline <= 0:
        raise SequenceError(
            f"{sequence.day}/calib_cam_to_cam.txt puts {RIGHT} {baseline:g} m to the right of {LEFT}: "
            "no stereo pair, train without --stereo"
        )
    return baseline


def metres_per_unit(sequences: Iterable[KittiSequence]) -> float:
    """Scale of a network trained on the pairs of these drives; raises SequenceError where their baselines differ."""
    baselines = {sequence.day: true_baseline(sequence) for sequence in sequences}
    low, high = min(baselines.values()), max(baselines.values())
    if high - low > SAME_BASELINE * high:
        raise SequenceError(
            f"the drives' stereo baselines reach from {low:.3f} to {high:.3f} m: train on one kind of camera at a time"
        )
    return float(np.median(list(baselines.values()))) / NOMINAL_BASELINE
