"""Runs the Eigen protocol over the frames of one or more drives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_node.config.evaluation import EvaluationConfig
from depth_node.data.kitti import FrameReference, KittiSequence, read_split, sequence_of
from depth_node.data.kitti_search import find_sequences
from depth_node.errors import EvaluationError, SequenceError
from depth_node.evaluation.ground_truth import GroundTruth, open_ground_truth
from depth_node.evaluation.metrics import depth_metrics
from depth_node.evaluation.protocol import Comparison, compare
from depth_node.evaluation.report import FrameResult
from depth_node.inference.estimator import DepthEstimator


@dataclass(frozen=True)
class EvaluationFrame:
    """One frame to evaluate: where its picture and its measured depth come from."""

    sequence: KittiSequence
    index: int
    truth: GroundTruth

    @property
    def name(self) -> str:
        """The frame as a line of a split file."""
        folder = self.sequence.folder
        side = "r" if self.sequence.camera.endswith("3") else "l"
        return str(FrameReference(f"{folder.parent.name}/{folder.name}", self.index, side))


@dataclass(frozen=True)
class ComparedFrame:
    """A frame with everything that a picture or a finer analysis needs.

    image (H,W,3) uint8 RGB; depth (h,w) metres as predicted, before any median scaling; truth (H,W) metres;
    comparison: the matched pixels.
    """

    name: str
    image: NDArray[np.uint8]
    depth: NDArray[np.float32]
    truth: NDArray[np.float32]
    comparison: Comparison

    def result(self) -> FrameResult:
        """The metrics over all compared pixels."""
        metrics = depth_metrics(self.comparison.ground_truth, self.comparison.prediction)
        return FrameResult(self.name, metrics, self.comparison.ratio, len(self.comparison.ground_truth))


def select_frames(
    folders: Sequence[Path], config: EvaluationConfig, split: Path | None = None, ground_truth: Path | None = None
) -> list[EvaluationFrame]:
    """Frames that have measured depth, every `config.every`-th of them.

    Args:
        folders: drives, or roots that hold drives; with a split, the roots that its lines refer to.
        config: which ground truth.
        split: split file with the frames to use (monodepth2 format); all frames when not given.
        ground_truth: `ground_truth` folder of the simulated drive that the sequence was recorded from.

    Raises:
        SequenceError: a folder, drive or frame is not there.
        EvaluationError: there is no ground truth.
    """
    chosen = _all_frames(folders) if split is None else _split_frames(folders, split)
    if ground_truth is not None and len(chosen) > 1:
        raise EvaluationError(f"one ground truth folder cannot serve {len(chosen)} drives: evaluate them one by one")
    frames = []
    for sequence, indices in chosen.items():
        truth = open_ground_truth(sequence, config, ground_truth)
        frames += [EvaluationFrame(sequence, index, truth) for index in indices if truth.has(index)]
    if not frames:
        raise EvaluationError("none of the frames has measured depth: choose another split or ground truth")
    return frames[:: config.every]


def compare_frames(
    estimator: DepthEstimator, frames: Sequence[EvaluationFrame], config: EvaluationConfig
) -> Iterator[ComparedFrame]:
    """Predict and compare frame by frame; raises EvaluationError that names the frame."""
    for frame in frames:
        image = frame.sequence.image(frame.index)
        depth = estimator.estimate(image, frame.sequence.K).depth.float().cpu().numpy()
        truth = frame.truth.read(frame.index)
        try:
            comparison = compare(truth, depth, config)
        except EvaluationError as error:
            raise EvaluationError(f"frame '{frame.name}': {error}") from None
        yield ComparedFrame(frame.name, image, depth, truth, comparison)


def _all_frames(folders: Sequence[Path]) -> dict[KittiSequence, list[int]]:
    return {sequence: list(sequence.frames) for folder in folders for sequence in find_sequences(folder)}


def _split_frames(folders: Sequence[Path], split: Path) -> dict[KittiSequence, list[int]]:
    chosen: dict[KittiSequence, list[int]] = {}
    for reference in read_split(split):
        roots = [root for root in folders if (root / reference.folder).is_dir()]
        if not roots:
            raise SequenceError(
                f"{split} names '{reference.folder}', which is not below {' or '.join(map(str, folders))}: "
                "give the root folder of the drives with --sequence"
            )
        sequence = sequence_of(roots[0], reference)
        sequence.image_path(reference.index)
        chosen.setdefault(sequence, []).append(reference.index)
    return chosen
