# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Semantic class of each pixel, for metrics per class: the simulated street's exact labels or label pictures.

Every source gives (H,W) uint8 class numbers; those without a name, 255 above all, belong to no class. Label pictures
of a real drive are usually predictions of a semantic network, so that classes which look alike lend each other pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.config.classes import CITYSCAPES, read_class_map
from depth_node.config.evaluation import EvaluationConfig
from depth_node.datasets.labelled_pairs import read_label_picture
from depth_node.errors import EvaluationError
from depth_node.evaluation.simulated_truth import SimulatedFrames
from depth_node.kitti.layout import KittiSequence
from depth_node.simulation import ground_truth as simulated


class LabelSource(Protocol):
    """Where the labels of one sequence come from."""

    @property
    def name(self) -> str:
        """What kind of labels they are, for reports."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes by number."""

    def has(self, index: int) -> bool:
        """Whether a frame has labels."""

    def read(self, index: int) -> NDArray[np.uint8]:
        """Labels of a frame: (H,W) class numbers."""


@dataclass(frozen=True)
class SimulatedLabels:
    """Exact labels written by `depth simulate`."""

    frames: SimulatedFrames
    name: str = "simulated labels"
    classes: tuple[str, ...] = CITYSCAPES.names

    def has(self, index: int) -> bool:
        """Whether the simulation labelled this frame."""
        return self.frames.labels_path(index).is_file()

    def read(self, index: int) -> NDArray[np.uint8]:
        """Labels of a frame: (H,W) class numbers; raises SimulationError."""
        return simulated.read_labels(self.frames.labels_path(index))


@dataclass(frozen=True)
class LabelPictures:
    """8-bit label PNGs, grey or with a palette, in `semantic/image_02`."""

    sequence: KittiSequence
    classes: tuple[str, ...] = CITYSCAPES.names
    name: str = "label pictures"

    def has(self, index: int) -> bool:
        """Whether the frame has a label picture."""
        return self.sequence.label_path(index).is_file()

    def read(self, index: int) -> NDArray[np.uint8]:
        """Labels of a frame: (H,W) class numbers; raises SequenceError."""
        return read_label_picture(self.sequence.label_path(index))


def open_labels(sequence: KittiSequence, config: EvaluationConfig, folder: Path | None = None) -> LabelSource | None:
    """The source of labels that `config.labels` names, or the first one found ('auto'); None without labels.

    Args:
        sequence: the drive to evaluate on.
        config: which source, and the classes of label pictures.
        folder: `ground_truth` folder of a simulated drive.

    Raises:
        EvaluationError: the source was named and is not there for this drive.
        ConfigError: there is no class map of the configured name.
    """
    sources: dict[str, LabelSource] = {"png": LabelPictures(sequence, read_class_map(config.classes).names)}
    if folder is not None:
        sources = {"simulation": SimulatedLabels(SimulatedFrames(sequence, folder)), **sources}
    wanted = {"auto": list(sources), "none": []}.get(config.labels, [config.labels])
    for kind in wanted:
        if kind in sources and any(sources[kind].has(index) for index in sequence.frames):
            return sources[kind]
    if config.labels in ("auto", "none"):
        return None
    needed = "semantic/image_02/*.png" if config.labels == "png" else "labels in --ground_truth_dir"
    raise EvaluationError(f"{sequence.folder} has no labels for any of its {len(sequence)} frames: needs {needed}")


def labels_at(labels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Labels at another size, (height,width), by the nearest pixel."""
    if labels.shape == (height, width):
        return labels
    return np.asarray(cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT), np.uint8)
