# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the Eigen protocol over the frames of one or more drives."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_node.config.evaluation import EvaluationConfig
from depth_node.errors import EvaluationError
from depth_node.evaluation.breakdown import PartErrors, range_parts
from depth_node.evaluation.flip_prediction import predict_depth
from depth_node.evaluation.ground_truth import DepthPictures, GroundTruth, SimulatedDepth, open_ground_truth
from depth_node.evaluation.label_sources import LabelSource, labels_at, open_labels
from depth_node.evaluation.metrics import DepthMetrics, metrics_of, pixel_errors
from depth_node.evaluation.protocol import Comparison, NothingToCompareError, compare
from depth_node.evaluation.report import FrameResult
from depth_node.evaluation.simulated_truth import match_ground_truth
from depth_node.inference.estimator import DepthEstimator
from depth_node.kitti.layout import FrameReference, KittiSequence, read_split
from depth_node.kitti.references import locate
from depth_node.kitti.search import find_all_sequences

logger = logging.getLogger(__name__)

SAME_SHAPE = 0.01
"""Relative difference of width / height up to which two pictures show the same."""


@dataclass(frozen=True)
class EvaluationFrame:
    """One frame to evaluate: where its picture, its measured depth and its labels (None: nowhere) come from.

    root: name of the folder that holds the drive's date, where drives of several roots have the same name, else ''.
    """

    sequence: KittiSequence
    index: int
    truth: GroundTruth
    labels: LabelSource | None = None
    root: str = ""

    @property
    def name(self) -> str:
        """The frame as a line of a split file; with the root in front where that alone tells drives apart."""
        folder = self.sequence.location
        side = "r" if self.sequence.camera.endswith("3") else "l"
        drive = "/".join(filter(None, (self.root, folder.parent.name, folder.name)))
        return str(FrameReference(drive, self.index, side))


@dataclass(frozen=True)
class ComparedFrame:
    """A frame with everything that a picture or a finer analysis needs.

    image (H,W,3) uint8 RGB; depth (h,w) metres as predicted, before any median scaling; truth (H,W) metres;
    comparison: the matched pixels; labels (H,W) class numbers or None; classes: the names of the numbers.
    """

    name: str
    image: NDArray[np.uint8]
    depth: NDArray[np.float32]
    truth: NDArray[np.float32]
    comparison: Comparison
    labels: NDArray[np.uint8] | None = None
    classes: tuple[str, ...] = ()

    @cached_property
    def errors(self) -> NDArray[np.float64]:
        """(7,N) what each compared pixel adds to the metrics."""
        return pixel_errors(self.comparison.ground_truth, self.comparison.prediction)

    @cached_property
    def metrics(self) -> DepthMetrics:
        """The metrics over all compared pixels."""
        return metrics_of(self.errors)

    def result(self, config: EvaluationConfig) -> FrameResult:
        """The metrics over all compared pixels, and their errors by class and by range."""
        matched = self.comparison
        by_class = None
        if self.labels is not None:
            by_class = PartErrors.of(self.errors, self.labels[matched.mask], self.classes)
        by_range = PartErrors.of(self.errors, *range_parts(matched.ground_truth, config.range_edges))
        return FrameResult(self.name, self.metrics, matched.ratio, len(matched.ground_truth), by_range, by_class)


def select_frames(
    folders: Sequence[Path], config: EvaluationConfig, split: Path | None = None, ground_truth: Sequence[Path] = ()
) -> list[EvaluationFrame]:
    """Frames that have measured depth, every `config.every`-th of them.

    Args:
        folders: drives, or roots that hold drives; with a split, the roots that its lines refer to.
        config: which ground truth and which labels.
        split: split file with the frames to use (monodepth2 format); all frames when not given.
        ground_truth: `ground_truth` folders of the simulated drives that the sequences were recorded from, one per
            drive in the order of `folders` (of their names within a root), or roots that hold them.

    Raises:
        SequenceError: a folder, drive or frame is not there.
        EvaluationError: there is no ground truth, or not one for each drive.
    """
    chosen = _all_frames(folders) if split is None else _split_frames(folders, split, config.strict_split)
    simulated = _simulated_truth(folders, chosen, ground_truth) if ground_truth else {}
    ambiguous = len({sequence.location.name for sequence in chosen}) < len({sequence.folder for sequence in chosen})
    frames: list[EvaluationFrame] = []
    for sequence, indices in chosen.items():
        folder = simulated.get(sequence.folder)
        truth, labels = open_ground_truth(sequence, config, folder), open_labels(sequence, config, folder)
        root = sequence.day.parent.name if ambiguous else ""
        frames += [EvaluationFrame(sequence, index, truth, labels, root) for index in indices if truth.has(index)]
    if not frames:
        raise EvaluationError("none of the frames has measured depth: choose another split or ground truth")
    wanted = sum(map(len, chosen.values()))
    if split is not None and len(frames) < wanted:
        missing = wanted - len(frames)
        logger.warning("%d of the %d frames of %s have no measured depth and are left out", missing, wanted, split)
    return frames[:: config.every]


def compare_frames(
    estimator: DepthEstimator, frames: Sequence[EvaluationFrame], config: EvaluationConfig
) -> Iterator[ComparedFrame | None]:
    """Predict and compare frame by frame; None stands for a frame without truth inside the crop and the depth range.

    Raises:
        EvaluationError: there is no comparing a frame, which it names.
    """
    for frame in frames:
        image = frame.sequence.calibrated_image(frame.index)
        truth = frame.truth.read(frame.index)
        _check_size(frame, image, truth)
        depth = predict_depth(estimator, image, frame.sequence.K, config.flip_post_processing)
        try:
            comparison = compare(truth, depth, config)
        except NothingToCompareError:
            yield None
            continue
        except EvaluationError as error:
            raise EvaluationError(f"frame '{frame.name}': {error}") from None
        compared = ComparedFrame(frame.name, image, depth, truth, comparison)
        if frame.labels is not None and frame.labels.has(frame.index):
            labels = labels_at(frame.labels.read(frame.index), *truth.shape)
            compared = replace(compared, labels=labels, classes=frame.labels.classes)
        yield compared


def _check_size(frame: EvaluationFrame, image: NDArray[np.uint8], truth: NDArray[np.float32]) -> None:
    """Measured depth has the picture's size; exact depth may be that of a picture that was recorded smaller."""
    (height, width), (rows, columns) = image.shape[:2], truth.shape
    if (rows, columns) == (height, width):
        return
    if not isinstance(frame.truth, SimulatedDepth) or abs(columns * height / (rows * width) - 1) > SAME_SHAPE:
        raise EvaluationError(
            f"frame '{frame.name}' is {width}x{height}, its {frame.truth.name} {columns}x{rows}: "
            "they are not of one drive"
        )


def measured_on(frames: Sequence[EvaluationFrame]) -> dict[str, str]:
    """What the frames were measured with, for reports: 'ground_truth' and 'labels' (empty without)."""
    truths = dict.fromkeys(frame.truth.name for frame in frames)
    labels = dict.fromkeys(frame.labels.name for frame in frames if frame.labels is not None)
    return {"ground_truth": ", ".join(truths), "labels": ", ".join(labels)}


def other_truth(frames: Sequence[EvaluationFrame], config: EvaluationConfig) -> str:
    """A line on lidar scans that are there as well but not what is compared with; empty without."""
    if config.ground_truth != "auto" or not any(
        isinstance(frame.truth, DepthPictures) and frame.sequence.velodyne_path(frame.index).is_file()
        for frame in frames
    ):
        return ""
    return "lidar scans are there as well: --ground_truth velodyne compares with them, as the Eigen tables do"


def _simulated_truth(
    folders: Sequence[Path], chosen: Collection[KittiSequence], ground_truth: Sequence[Path]
) -> dict[Path, Path]:
    """Drive folder to ground-truth folder, for the chosen drives in the order in which `folders` name them."""
    wanted = {sequence.folder for sequence in chosen}
    drives = [sequence.folder for sequence in _all_frames(folders) if sequence.folder in wanted]
    return match_ground_truth(drives, ground_truth)


def _all_frames(folders: Sequence[Path]) -> dict[KittiSequence, list[int]]:
    return {sequence: list(sequence.frames) for sequence in find_all_sequences(folders)}


def _split_frames(folders: Sequence[Path], split: Path, strict: bool) -> dict[KittiSequence, list[int]]:
    chosen: dict[KittiSequence, list[int]] = {}
    for sequence, index in locate(folders, dict.fromkeys(read_split(split)), strict=strict):
        chosen.setdefault(sequence, []).append(index)
    return chosen
