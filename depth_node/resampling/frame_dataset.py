# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The frames to judge: pictures at the network's size, their camera, and where label pictures show ground."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset

from depth_node.camera.network_input import resize_image
from depth_node.config.classes import read_class_map
from depth_node.config.resampling import ResamplingConfig
from depth_node.datasets.labelled_pairs import read_label_picture
from depth_node.evaluation.label_sources import labels_at
from depth_node.geometry.intrinsics import scale_intrinsics
from depth_node.kitti.layout import FrameReference, KittiSequence, sequence_of


class Pictures(NamedTuple):
    """One frame, or a batch of them with a leading B.

    image: (H, W, 3) uint8 RGB; K: (3, 3) intrinsics at H x W, pixels; ground: (H, W) bool, labelled as ground, false
    everywhere without labels; labelled: () bool, whether there is a label picture.
    """

    image: Tensor
    K: Tensor
    ground: Tensor
    labelled: Tensor


class FramePictures(Dataset[Pictures]):
    """Frames of a split in its order, resized for the network."""

    def __init__(
        self, root: Path, references: Sequence[FrameReference], height: int, width: int, config: ResamplingConfig
    ) -> None:
        """Prepare to read.

        Args:
            root: folder that the drives of the split are relative to.
            references: the frames.
            height: of the network's input, pixels.
            width: of the network's input, pixels.
            config: whether to look for label pictures, and their classes.

        Raises:
            ConfigError: there is no class map of the configured name.
        """
        self.height, self.width = height, width
        self._labels = config.candidates in ("auto", "labels")
        self._ground_ids = torch.tensor(read_class_map(config.classes).ground_ids, dtype=torch.uint8)
        sequences: dict[tuple[str, str], KittiSequence] = {}
        self.frames = [
            (sequences.setdefault((each.folder, each.side), sequence_of(root, each)), each.index) for each in references
        ]

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.frames)

    def __getitem__(self, index: int) -> Pictures:
        """One frame; raises SequenceError."""
        sequence, frame = self.frames[index]
        image = sequence.calibrated_image(frame)
        scale_x, scale_y = self.width / image.shape[1], self.height / image.shape[0]
        K = scale_intrinsics(torch.from_numpy(sequence.K).double(), scale_x, scale_y)
        ground, labelled = self._ground(sequence, frame)
        return Pictures(resize_image(image, self.height, self.width).contiguous(), K, ground, labelled)

    def state(self, index: int) -> str:
        """Tells whether a frame's picture, camera or label picture have changed; raises SequenceError."""
        sequence, frame = self.frames[index]
        paths = [sequence.image_path(frame), *([sequence.label_path(frame)] if self._labels else [])]
        about = [(path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.is_file()]
        return hashlib.sha256(f"{about} {sequence.K.tolist()}".encode()).hexdigest()[:16]

    def _ground(self, sequence: KittiSequence, frame: int) -> tuple[Tensor, Tensor]:
        path = sequence.label_path(frame)
        if not self._labels or not path.is_file():
            return torch.zeros(self.height, self.width, dtype=torch.bool), torch.tensor(False)
        labels = labels_at(read_label_picture(path), self.height, self.width)
        return torch.isin(torch.from_numpy(labels), self._ground_ids), torch.tensor(True)
