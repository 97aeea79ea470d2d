# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The ground of frames that show too little of it: the plane that the other frames of the same camera have.

A camera is bolted to its car, so that the ground hardly moves in its frame, and one network gives all frames one unit.
Just the frames to be found hide their ground: a near car ahead fills the region in which it is looked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import torch
from torch import Tensor

from depth_node.geometry.ground_plane import GroundPlanes
from depth_node.kitti.layout import FrameReference
from depth_node.resampling.verdict import FrameVerdict

ENOUGH = 10
"""Frames whose median is trusted."""


class UsualPlanes:
    """Medians of the planes found: of each drive, and of each day, whose drives share a calibration."""

    def __init__(self, verdicts: Iterable[FrameVerdict]) -> None:
        """Take the medians over these verdicts; those without a plane do not count."""
        found: dict[PurePosixPath, list[Tensor]] = defaultdict(list)
        for verdict in verdicts:
            if verdict.distance is not None:
                drive = PurePosixPath(verdict.frame.rsplit(None, 2)[0])
                for folder in (drive, drive.parent):
                    found[folder].append(torch.tensor([*verdict.normal, verdict.distance], dtype=torch.float64))
        self._medians = {
            folder: torch.stack(planes).median(0).values for folder, planes in found.items() if len(planes) >= ENOUGH
        }

    def knows(self, frame: FrameReference) -> bool:
        """Whether there is a plane for this frame."""
        return self._of(frame) is not None

    def of(self, frames: Sequence[FrameReference]) -> GroundPlanes:
        """The planes of frames that it knows."""
        planes = torch.stack([median for median in map(self._of, frames) if median is not None])
        normals = planes[:, :3] / planes[:, :3].norm(dim=1, keepdim=True)
        return GroundPlanes(normals, planes[:, 3], torch.zeros(len(planes), dtype=torch.float64))

    def _of(self, frame: FrameReference) -> Tensor | None:
        drive = PurePosixPath(frame.folder)
        return self._medians.get(drive, self._medians.get(drive.parent))
