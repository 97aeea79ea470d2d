# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where labelled pictures come from: plain folders, KITTI-style drives, drives through the simulated street."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depth_node.config.classes import UNLABELLED, ClassMap
from depth_node.datasets.labelled_pairs import (
    LabelledPicture,
    Stretch,
    check_sizes,
    pair_drive,
    pair_folders,
    read_label_picture,
    samples_of,
)
from depth_node.errors import SequenceError, TrainingError
from depth_node.evaluation.simulated_truth import SimulatedFrames, match_ground_truth
from depth_node.kitti.search import find_all_sequences

COUNTED = 200
"""Label pictures that are looked at before training, to find wrong class numbers and the share of each class."""


@dataclass(frozen=True)
class LabelledSources:
    """What a user named.

    Attributes:
        images: plain folders of pictures.
        labels: a folder of label pictures for each of them.
        data: KITTI-style drives or folders of drives.
        ground_truth: ground truth of simulated drives, in the order of the drives in `data`; without it, drives have
            their labels in `semantic/image_02`.
        image_ending: see `pair_folders`.
        label_ending: see `pair_folders`.
    """

    images: Sequence[Path] = ()
    labels: Sequence[Path] = ()
    data: Sequence[Path] = ()
    ground_truth: Sequence[Path] = ()
    image_ending: str = ""
    label_ending: str = ""

    def stretches(self) -> list[Stretch]:
        """All labelled pictures, one stretch per folder or drive, sizes checked.

        Raises:
            SequenceError: something is missing or does not fit together.
            TrainingError: nothing was named, or not as many label folders as picture folders.
            EvaluationError: drives and ground truth do not belong together.
        """
        if len(self.images) != len(self.labels):
            raise TrainingError(
                f"{len(self.images)} folders of --images need as many of --labels, not {len(self.labels)}"
            )
        if not self.images and not self.data:
            raise TrainingError(
                "name labelled pictures: --images DIR --labels DIR, or --data DIR of KITTI-style drives"
            )
        found: list[Stretch] = []
        for images, labels in zip(self.images, self.labels, strict=True):
            found += pair_folders(images, labels, self.image_ending, self.label_ending)
        sequences = find_all_sequences(self.data)
        if self.ground_truth:
            truths = match_ground_truth([sequence.folder for sequence in sequences], self.ground_truth)
            frames = [SimulatedFrames(sequence, truths[sequence.folder]) for sequence in sequences]
            found += [_pair_simulated(drive) for drive in frames]
        else:
            found += [pair_drive(sequence) for sequence in sequences]
        check_sizes(found)
        return found


def _pair_simulated(frames: SimulatedFrames) -> Stretch:
    sequence = frames.sequence
    pairs = [LabelledPicture(sequence.image_path(i), frames.labels_path(i)) for i in sequence.frames]
    stretch = [pair for pair in pairs if pair.labels.is_file()]
    if not stretch:
        raise SequenceError(f"{frames.folder} holds no labels for the frames of {sequence.folder}")
    return stretch


def count_values(stretches: Sequence[Stretch]) -> NDArray[np.int64]:
    """How often each of the 256 values occurs in the label pictures, by a sample of them; raises SequenceError."""
    counts = np.zeros(256, np.int64)
    for pair in samples_of(stretches, COUNTED):
        counts += np.bincount(read_label_picture(pair.labels).ravel(), minlength=256)
    return counts


def class_shares(values: NDArray[np.int64], table: Sequence[int], classes: ClassMap) -> NDArray[np.float64]:
    """Share of each class among the labelled pixels, (N,).

    Args:
        values: see `count_values`.
        table: class number of each value.
        classes: the class map.

    Raises:
        TrainingError: no pixel has a class of the map.
    """
    numbers = np.array(table)
    counts = np.array([values[numbers == index].sum() for index in range(len(classes))], np.float64)
    if counts.sum() == 0:
        seen = ", ".join(str(value) for value in np.flatnonzero(values)[:8])
        raise TrainingError(
            f"no label belongs to the class map: the label pictures hold the values {seen}; choose other classes, or "
            "say by --label_ids which value stands for which class"
        )
    return counts / counts.sum()


def ignored_values(values: NDArray[np.int64], table: Sequence[int]) -> dict[int, float]:
    """Values of the label pictures that stand for no class, with their share of all pixels; UNLABELLED left out."""
    total = values.sum()
    ignored = [v for v in np.flatnonzero(values).tolist() if table[v] == UNLABELLED and v != UNLABELLED]
    return {value: float(values[value] / total) for value in ignored}


def class_weights(shares: NDArray[np.float64]) -> Tensor:
    """Weights (N,) that grow as classes get rarer, 1 / log(1.02 + share) (ENet, arXiv 1606.02147), mean 1."""
    weights = 1.0 / np.log(1.02 + shares)
    return torch.from_numpy(weights / weights.mean()).float()
