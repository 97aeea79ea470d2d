# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Two checkpoints on the same held-back pictures, by yardsticks that need no network but the one that is judged.

How the camera moved between two pictures is found from the depth of the first (corners and PnP); with it and the depth
every pixel of the first picture is looked up in the second. Depth that is right finds the same brightness and the same
depth there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from depth_node.config.evaluation import EvaluationConfig
from depth_node.errors import EvaluationError, SequenceError
from depth_node.evaluation.evaluate import compare_frames, select_frames
from depth_node.evaluation.metrics import mean_metrics
from depth_node.inference.estimator import DepthEstimator
from depth_node.kitti.layout import KittiSequence
from depth_node.scale.consistency import consistency, moved_points
from depth_node.scale.depth_frame import DepthFrame, Matrix, NoReading
from depth_node.scale.flicker import motion_between

PHOTOMETRIC, CONSISTENCY, ABS_REL = "photometric", "consistency", "abs_rel"
INFINITE = 1e6
"""Depth that stands for the sky when it is looked up."""
LEAST_SHARE = 0.8
"""Of the pairs that the old network could be judged on, so many the new one has to be, too."""

Pair = tuple[KittiSequence, int, int]


@dataclass(frozen=True)
class Measured:
    """An error of the old and of the new network on the same pictures.

    Attributes:
        where: which recording.
        what: 'photometric' (brightness, 0 to 1), 'consistency' (relative depth) or 'abs_rel' (to measured depth).
        old: error of the present network.
        new: error of the new one.
        count: pairs or pictures.
    """

    where: str
    what: str
    old: float
    new: float
    count: int

    @property
    def change(self) -> float:
        """Relative; negative is better."""
        return self.new / self.old - 1 if self.old > 0 else 0.0


def pairs_of(targets: Sequence[tuple[KittiSequence, int]], most: int) -> list[Pair]:
    """Consecutive pictures among held-back frames, evenly from all of them."""
    known = set(targets)
    pairs = [(sequence, frame, frame + 1) for sequence, frame in targets if (sequence, frame + 1) in known]
    chosen = np.linspace(0, len(pairs) - 1, min(most, len(pairs))).round().astype(int)
    return [pairs[index] for index in dict.fromkeys(chosen.tolist())]


def compare_on_pairs(old: DepthEstimator, new: DepthEstimator, pairs: Sequence[Pair], where: str) -> list[Measured]:
    """Photometric error and consistency; raises EvaluationError where they cannot be measured.

    Args:
        old: the present network.
        new: the one to judge.
        pairs: of pictures that neither has learnt from.
        where: which recording they are of.
    """
    found: list[tuple[tuple[float, float] | None, ...]] = []
    for sequence, first, second in track(pairs, f"comparing on the {where} recording", transient=True):
        images = [sequence.calibrated_image(frame) for frame in (first, second)]
        found.append(tuple(_judge(estimator, images, sequence.K) for estimator in (old, new)))
    both = [(a, b) for a, b in found if a is not None and b is not None]
    possible = sum(a is not None for a, _ in found)
    if not both or len(both) < LEAST_SHARE * possible:
        raise EvaluationError(
            f"of {len(pairs)} pairs of the {where} recording the present network explains {possible}, the new one "
            f"{len(both)} of those"
        )
    errors = np.array(both).mean(axis=0)
    return [
        Measured(where, what, float(errors[0, index]), float(errors[1, index]), len(both))
        for index, what in enumerate((PHOTOMETRIC, CONSISTENCY))
    ]


def _judge(estimator: DepthEstimator, images: Sequence[np.ndarray], K: Matrix) -> tuple[float, float] | None:
    """Photometric error and consistency of a pair; None where no motion explains it."""
    first, second = (DepthFrame.of(estimator.estimate(image, K), estimator.classes) for image in images)
    try:
        moved = motion_between(first, second)
        return photometric(first, second, moved), consistency(first, second, moved, np.inf).error
    except NoReading:
        return None


def photometric(first: DepthFrame, second: DepthFrame, T_second_first: Matrix) -> float:
    """Mean difference of brightness, 0 to 1, of the first picture to the second looked up by depth and motion.

    Every pixel counts, whatever its depth: what leaves the picture is compared with its border.
    """
    rows, columns = first.size
    depth = first.depth.ravel().astype(np.float64)
    depth = np.where(np.isfinite(depth) & (depth > 0), depth, INFINITE)
    moved = moved_points(first, depth, T_second_first)
    moved[:, 2] = np.maximum(moved[:, 2], 1e-6)
    there = ((moved / moved[:, 2:]) @ second.K[:2].T).clip(-1e4, 1e4).astype(np.float32).reshape(rows, columns, 2)
    seen = cv2.remap(
        np.ascontiguousarray(second.gray),
        there[..., 0],
        there[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return float(np.abs(seen.astype(np.float64) - first.gray).mean() / 255)


def compare_on_truth(
    old: DepthEstimator, new: DepthEstimator, recorded: Path, split: Path, where: str, most: int
) -> list[Measured]:
    """abs_rel, median-scaled, where lidar or depth lies beside held-back pictures; empty where there is none."""
    config = EvaluationConfig()
    try:
        frames = select_frames([recorded], config, split)
    except (EvaluationError, SequenceError):
        return []
    chosen = frames[:: max(1, len(frames) // most)]
    scores = []
    for estimator in (old, new):
        compared = [one for one in compare_frames(estimator, chosen, config) if one is not None]
        if not compared:
            return []
        scores.append(mean_metrics([one.metrics for one in compared]).abs_rel)
    return [Measured(where, ABS_REL, scores[0], scores[1], len(compared))]


def unit_ratio(old: DepthEstimator, new: DepthEstimator, pairs: Sequence[Pair]) -> float:
    """Depth of the present network over that of the new one, the median of pictures' medians; 1 without pictures."""
    ratios = []
    for sequence, frame, _ in pairs:
        image = sequence.calibrated_image(frame)
        before, now = (estimator.estimate(image, sequence.K).depth.cpu().numpy() for estimator in (old, new))
        small = [cv2.resize(each, (64, 32), interpolation=cv2.INTER_NEAREST) for each in (before, now)]
        known = np.isfinite(small[0]) & np.isfinite(small[1]) & (small[1] > 0)
        ratios.append(float(np.median(small[0][known] / small[1][known])))
    return float(np.median(ratios)) if ratios else 1.0
