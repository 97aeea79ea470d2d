# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What resampling says of each frame, and of all together; JSON-able."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from depth_node.config.resampling import ResamplingConfig
from depth_node.config.setting import values
from depth_node.kitti.layout import FrameReference
from depth_node.resampling.below_ground import GroundCheck

KEPT, DROPPED, NO_PLANE = "kept", "dropped", "kept: no ground plane"


@dataclass(frozen=True)
class FrameVerdict:
    """One judged frame.

    Attributes:
        frame: its line in the split file.
        decision: `kept`, `dropped` or `kept: no ground plane`.
        below: pixels significantly below the ground plane.
        normal: of the plane, in the camera's optical frame, pointing down; empty without a plane.
        distance: from the camera to the plane, in network units; None without a plane.
        tilt: of the normal to the camera's y axis, degrees; None without a plane.
        inliers: share of the candidate pixels on the plane.
        candidates: what these were: `labels`, `network` or `geometric`; `other frames` where the picture shows no plane
            of its own and was judged by the usual one of its drive.
    """

    frame: str
    decision: str
    below: int
    normal: tuple[float, ...]
    distance: float | None
    tilt: float | None
    inliers: float
    candidates: str

    @property
    def dropped(self) -> bool:
        """Whether stage 2 goes without it."""
        return self.decision == DROPPED


def judge(
    check: GroundCheck, frames: Sequence[FrameReference], allowed: float, candidates: Sequence[str]
) -> list[FrameVerdict]:
    """The verdicts of a batch.

    Args:
        check: what was found.
        frames: the batch's.
        allowed: pixels below ground up to which a frame is kept.
        candidates: what each plane was fitted to.
    """
    planes = check.planes
    rows = zip(
        frames,
        check.counts.tolist(),
        planes.normals.tolist(),
        planes.distances.tolist(),
        planes.tilts.tolist(),
        planes.inliers.tolist(),
        candidates,
        strict=True,
    )
    verdicts = []
    for frame, below, normal, distance, tilt, inliers, kind in rows:
        found = math.isfinite(distance)
        decision = NO_PLANE if not found else DROPPED if below > allowed else KEPT
        verdict = FrameVerdict(str(frame), decision, below, (), None, None, round(inliers, 4), kind)
        if found:
            plane = tuple(round(part, 6) for part in normal)
            verdict = replace(verdict, normal=plane, distance=round(distance, 6), tilt=round(tilt, 3))
        verdicts.append(verdict)
    return verdicts


@dataclass(frozen=True)
class ResampleReport:
    """All frames and what became of them.

    Attributes:
        checkpoint: name of the network that judged.
        verdicts: in the order of the split.
        references: the frames, likewise.
        size: (height, width) of the pictures judged, pixels.
        config: how they were.
    """

    checkpoint: str
    verdicts: tuple[FrameVerdict, ...]
    references: tuple[FrameReference, ...]
    size: tuple[int, int]
    config: ResamplingConfig

    @property
    def kept(self) -> list[FrameReference]:
        """Frames for stage 2."""
        pairs = zip(self.references, self.verdicts, strict=True)
        return [reference for reference, verdict in pairs if not verdict.dropped]

    @property
    def dropped(self) -> int:
        """Number of dropped frames."""
        return sum(verdict.dropped for verdict in self.verdicts)

    @property
    def without_plane(self) -> int:
        """Number of frames that could not be judged."""
        return sum(verdict.decision == NO_PLANE for verdict in self.verdicts)

    @property
    def allowed(self) -> float:
        """Pixels below ground up to which a frame is kept."""
        return self.config.allowed(*self.size)

    @property
    def worst(self) -> list[int]:
        """Places of the dropped frames with most pixels below ground, the worst first, as many as are drawn."""
        dropped = [place for place, verdict in enumerate(self.verdicts) if verdict.dropped]
        return sorted(dropped, key=lambda place: -self.verdicts[place].below)[: self.config.worst]

    @property
    def sentence(self) -> str:
        """The result in a line."""
        total = len(self.verdicts)
        unjudged = f"; {self.without_plane} show no ground plane and are kept" if self.without_plane else ""
        return f"{self.dropped} of {total} training frames dropped ({self.dropped / total:.1%}){unjudged}"

    def record(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        return {
            "checkpoint": self.checkpoint,
            "size": f"{self.size[1]}x{self.size[0]}",
            "allowed_pixels_below": self.allowed,
            "frames": len(self.verdicts),
            "dropped": self.dropped,
            "without_plane": self.without_plane,
            "settings": values(self.config),
            "verdicts": [asdict(verdict) for verdict in self.verdicts],
        }
