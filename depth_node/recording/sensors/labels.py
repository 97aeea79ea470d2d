# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Semantic label pictures of recorded frames, computed once instead of in every epoch of a training."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from depth_node.camera.rectification import StoredCamera
from depth_node.image_file import encode_image
from depth_node.kitti.layout import KittiSequence
from depth_node.recording.sensors.protocol import RecordedFrame


class SemanticLabeller(Protocol):
    """What gives every pixel its class."""

    def labels(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W) class numbers of a picture (H, W, 3)."""

    def record(self) -> Mapping[str, Any]:
        """What it is, for the manifest: weights, class names."""


class LabelWriter:
    """Writes `semantic/image_02/*.png` of a drive from its stored pictures; it needs nothing of the bag."""

    name = "labels"

    def __init__(self, labeller: SemanticLabeller) -> None:
        """Prepare; a network that cannot be had is found out now, not after hours of recording."""
        self.topics: frozenset[str] = frozenset()
        self._labeller = labeller

    def add(self, topic: str, message: Any, stamp_ns: int) -> None:
        """Nothing: there are no topics."""

    def finish(self, folder: Path, frames: Sequence[RecordedFrame], _camera: StoredCamera) -> dict[str, Any]:
        """Label every frame; see `SideWriter.finish`."""
        labeller, sequence = self._labeller, KittiSequence(folder)
        counts, digest = np.zeros(256, np.int64), hashlib.sha256()
        for frame in frames:
            labels = labeller.labels(sequence.image(frame.index))
            counts += np.bincount(labels.ravel(), minlength=256)
            data = encode_image(labels)
            digest.update(data)
            path = sequence.label_path(frame.index)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        shares = {str(label): round(float(counts[label] / counts.sum()), 4) for label in np.flatnonzero(counts)}
        return {"frames": len(frames), "shares": shares, "sha256": digest.hexdigest(), **labeller.record(), "notes": []}


def open_checkpoint(checkpoint: str) -> SemanticLabeller:
    """A semantic network by its file or its name on the hub, as `depth train --semantic`; raises CheckpointError."""
    from depth_node.recording.sensors.semantic_labeller import CheckpointLabeller

    return CheckpointLabeller(checkpoint)


def is_published(checkpoint: str) -> bool:
    """Whether it names a network on the hub instead of a file."""
    from depth_node.checkpoints.semantic_hub import is_hub_name

    return is_hub_name(checkpoint)
