# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a teacher said of recorded pictures, kept as 16-bit PNGs: depth as KITTI keeps it, or inverse depth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from depth_node.atomic_file import replacing
from depth_node.config.teacher import DEPTH, INVERSE_DEPTH
from depth_node.errors import SequenceError, TeacherError
from depth_node.image_file import write_image
from depth_node.kitti.formats import DEPTH_UNIT
from depth_node.kitti.layout import KittiSequence, frame_name

RECORD_FILE = "labels.json"
SKY = 65535
"""Depth that stands for the sky; inverse depth has no need of one."""
FARTHEST = (SKY - 1) / DEPTH_UNIT


@dataclass(frozen=True)
class TeacherLabels:
    """A folder of labels: `<day>/<drive>/<camera>/<frame>.png` and `labels.json`.

    Attributes:
        folder: where they are.
    """

    folder: Path

    @cached_property
    def record(self) -> dict[str, Any]:
        """Whose labels these are: name, revision, licence, gives; raises TeacherError."""
        path = self.folder / RECORD_FILE
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except OSError:
            raise TeacherError(f"{self.folder} holds no labels of a teacher: {RECORD_FILE} is missing") from None
        except ValueError:
            raise TeacherError(f"{path} is damaged: write the labels again") from None
        if not isinstance(record, dict) or record.get("gives") not in (DEPTH, INVERSE_DEPTH):
            raise TeacherError(f"{path} does not say what the labels are: write them again")
        return record

    def checked(self) -> TeacherLabels:
        """Itself, once it is known to be a folder of labels; raises TeacherError."""
        _ = self.record
        return self

    @property
    def gives(self) -> str:
        """'depth' in metres or 'inverse_depth' up to factor and offset, of each picture its own."""
        return str(self.record["gives"])

    def start(self, record: dict[str, Any]) -> None:
        """Say whose labels come into the folder; raises TeacherError where those of others are in it."""
        if (self.folder / RECORD_FILE).exists():
            if self.record != record:
                raise TeacherError(
                    f"{self.folder} holds labels of {self.record.get('name')}, revision {self.record.get('revision')}, "
                    "or with other settings: choose another --labels"
                )
            return
        with replacing(self.folder / RECORD_FILE) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    def path(self, sequence: KittiSequence, frame: int) -> Path:
        """Where the label of a frame is kept."""
        drive = Path(sequence.day.name) / sequence.location.name
        return self.folder / drive / sequence.camera / frame_name(frame, ".png")

    def write(self, sequence: KittiSequence, frame: int, answer: NDArray[np.float32]) -> None:
        """Keep a teacher's answer (h, w): see `Teacher`; raises OutputError."""
        steps = depth_steps(answer) if self.gives == DEPTH else inverse_steps(answer)
        write_image(self.path(sequence, frame), steps)

    def read(self, sequence: KittiSequence, frame: int, height: int, width: int) -> Tensor:
        """The label of a frame at the network's size.

        Returns:
            (1, height, width) float32: metres, inf in the sky; or inverse depth in 0..1. NaN where nothing is known.

        Raises:
            SequenceError: there is none, or it is damaged.
        """
        path = self.path(sequence, frame)
        try:
            data = np.fromfile(path, np.uint8)
        except OSError:
            raise SequenceError(
                f"frame {frame} of {sequence.folder} has no label {path}: write the labels again"
            ) from None
        raw = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if data.size else None
        if raw is None or raw.ndim != 2 or raw.dtype != np.uint16:
            raise SequenceError(f"the label {path} is damaged: delete it and write the labels again")
        small = cv2.resize(raw, (width, height), interpolation=cv2.INTER_NEAREST)
        value = small.astype(np.float32)
        value = value / np.float32(DEPTH_UNIT) if self.gives == DEPTH else (value - 1) / np.float32(SKY - 1)
        if self.gives == DEPTH:
            value[small == SKY] = np.inf
        value[small == 0] = np.nan
        return torch.from_numpy(value)[None]


def depth_steps(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Metres (h, w) as KITTI's 1/256 m; 0 unknown, `SKY` infinite; what the format cannot hold is at its end."""
    known = np.isfinite(depth) & (depth > 0)
    steps = np.rint(np.where(known, np.minimum(depth, FARTHEST), 0) * np.float32(DEPTH_UNIT))
    steps[known] = steps[known].clip(1, SKY - 1)
    steps[np.isposinf(depth)] = SKY
    return steps.astype(np.uint16)


def inverse_steps(inverse: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Inverse depth (h, w), stretched from the smallest to the largest of the picture over 1..65535; 0 unknown."""
    known = np.isfinite(inverse)
    if not known.any():
        return np.zeros(inverse.shape, np.uint16)
    low, high = float(inverse[known].min()), float(inverse[known].max())
    share = (np.where(known, inverse, low) - low) / max(high - low, 1e-12)
    return np.where(known, np.rint(1 + share * (SKY - 1)), 0).astype(np.uint16)
