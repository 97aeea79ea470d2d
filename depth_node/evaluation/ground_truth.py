# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Measured depth of a frame: KITTI depth pictures, projected lidar scans or the simulated street's exact depth.

Every source gives (H,W) float32 metres with NaN where nothing was measured; Inf, as in a simulated sky, is no
measurement either for the protocol.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from depth_node.config.evaluation import EvaluationConfig
from depth_node.errors import EvaluationError
from depth_node.evaluation.simulated_truth import SimulatedFrames
from depth_node.kitti.calibration import read_transform
from depth_node.kitti.formats import read_depth, read_velodyne
from depth_node.kitti.layout import CALIBRATION_FILES, KittiSequence
from depth_node.simulation import ground_truth as simulated

SAME_VIEW = 5.0
"""Degrees between two directions up to which depth along one is depth along the other to half a percent."""


ANNOTATED = ("train", "val", "data_depth_annotated/train", "data_depth_annotated/val")
"""Where KITTI's annotated depth lies below the root of the raw drives, by how it was unpacked."""


class GroundTruth(Protocol):
    """Where measured depth of one sequence comes from."""

    @property
    def name(self) -> str:
        """What kind of measurement it is, for reports."""

    @property
    def scale_source(self) -> str:
        """What a checkpoint says about a scale taken from it."""

    def has(self, index: int) -> bool:
        """Whether a frame was measured."""

    def read(self, index: int) -> NDArray[np.float32]:
        """Depth of a frame: (H,W) metres, NaN not measured."""


@dataclass(frozen=True)
class DepthPictures:
    """16-bit depth PNGs in `proj_depth/groundtruth`: KITTI's improved depth, or any recorded projection.

    They lie in the drive's own folder or, as KITTI's download unpacks beside the raw drives, in `train/` or `val/`.
    """

    sequence: KittiSequence
    name: str = "depth pictures"
    scale_source: str = "ground_truth"

    def has(self, index: int) -> bool:
        """Whether the frame has a depth picture."""
        return self._path(index).is_file()

    def read(self, index: int) -> NDArray[np.float32]:
        """Depth of a frame: (H,W) metres; raises SequenceError."""
        return read_depth(self._path(index))

    def _path(self, index: int) -> Path:
        return self._sequence.depth_path(index)

    @cached_property
    def _sequence(self) -> KittiSequence:
        """The drive as the folder that has its depth pictures knows it."""
        drive, root = self.sequence.location.name, self.sequence.day.parent
        for folder in (self.sequence.folder, *(root / part / drive for part in ANNOTATED)):
            if (folder / "proj_depth" / "groundtruth").is_dir():
                return replace(self.sequence, folder=folder)
        return self.sequence


@dataclass(frozen=True)
class LidarScans:
    """Raw lidar scans, projected as the Eigen tables have it (docs/papers.md, Evaluation)."""

    sequence: KittiSequence
    depth: str = "auto"
    name: str = "lidar scans"
    scale_source: str = "lidar"

    @cached_property
    def T_camera_lidar(self) -> NDArray[np.float64]:  # noqa: N802 (the field's name)
        """(4,4) lidar coordinates to those of the rectified camera 0, metres; raises SequenceError."""
        rectification = np.eye(4)
        rectification[:3, :3] = self.sequence.calibration.rectification
        return rectification @ read_transform(self.sequence.day / CALIBRATION_FILES[1])

    @cached_property
    def looks_ahead(self) -> bool:
        """Whether the lidar's x axis lies along the camera's view, so that x is depth, as on KITTI's car."""
        return bool(self.T_camera_lidar[2, 0] > math.cos(math.radians(SAME_VIEW)))

    def has(self, index: int) -> bool:
        """Whether the frame has a scan."""
        return self.sequence.velodyne_path(index).is_file()

    def read(self, index: int) -> NDArray[np.float32]:
        """Depth of a frame: (H,W) metres; raises SequenceError."""
        calibration = self.sequence.calibration
        points = read_velodyne(self.sequence.velodyne_path(index))
        projection = calibration.projection @ self.T_camera_lidar
        depth = self.depth
        if depth == "auto":
            depth = "forward" if self.looks_ahead else "camera"
        return project_lidar(points, projection, calibration.height, calibration.width, depth)


@dataclass(frozen=True)
class SimulatedDepth:
    """Exact depth written by `depth simulate`."""

    frames: SimulatedFrames
    name: str = "simulated depth"
    scale_source: str = "ground_truth"

    def has(self, index: int) -> bool:
        """Whether the simulation rendered this frame."""
        return self.frames.depth_path(index).is_file()

    def read(self, index: int) -> NDArray[np.float32]:
        """Depth of a frame: (H,W) metres; raises SimulationError."""
        return simulated.read_depth(self.frames.depth_path(index))


def open_ground_truth(sequence: KittiSequence, config: EvaluationConfig, folder: Path | None = None) -> GroundTruth:
    """The source of measured depth that `config.ground_truth` names, or the first one found ('auto').

    Args:
        sequence: the drive to evaluate on.
        config: which source, and which depth of a lidar point.
        folder: `ground_truth` folder of a simulated drive.

    Raises:
        EvaluationError: the source is not there for this drive.
    """
    sources: dict[str, GroundTruth] = {
        "png": DepthPictures(sequence),
        "velodyne": LidarScans(sequence, config.velodyne_depth),
    }
    if folder is not None:
        sources = {"simulation": SimulatedDepth(SimulatedFrames(sequence, folder)), **sources}
    wanted = list(sources) if config.ground_truth == "auto" else [config.ground_truth]
    if "simulation" in wanted and folder is None:
        raise EvaluationError("ground truth of a simulation needs --ground_truth_dir DIR/ground_truth")
    for kind in wanted:
        if any(sources[kind].has(index) for index in sequence.frames):
            return sources[kind]
    raise EvaluationError(
        f"{sequence.folder} has no ground truth ({' or '.join(sources[kind].name for kind in wanted)}) for any of its "
        f"{len(sequence)} frames: give a drive with proj_depth/groundtruth or velodyne_points, or --ground_truth_dir"
    )


def project_lidar(
    points: NDArray[np.floating], projection: NDArray[np.floating], height: int, width: int, depth: str = "forward"
) -> NDArray[np.float32]:
    """Project a lidar scan into the picture as monodepth2's export of Eigen ground truth does.

    A point ahead fills the pixel (round(u) - 1, round(v) - 1); of several the nearest stays. Ahead is what has x >= 0
    in the lidar frame, where x is the depth, and what lies before the image plane, whatever way the lidar is turned.

    Args:
        points: (N,4) or (N,3) lidar frame: x forward, y left, z up, metres.
        projection: (3,4) lidar coordinates to pixels.
        height: of the picture, pixels.
        width: of the picture, pixels.
        depth: 'forward' stores x of the lidar frame, as the Eigen tables do; 'camera' stores z of the camera frame.

    Returns:
        (height,width) metres, NaN where no point falls.
    """
    ahead = points[points[:, 0] >= 0, :3] if depth == "forward" else points[:, :3]
    ahead = ahead.astype(np.float64)
    u, v, z = projection @ np.column_stack([ahead, np.ones(len(ahead))]).T
    seen = z > 0  # behind the image plane nothing can be seen, though the formula would give a pixel
    column, row = (np.round(value[seen] / z[seen]).astype(np.int64) - 1 for value in (u, v))
    value = ahead[seen, 0] if depth == "forward" else z[seen]
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (value > 0)
    nearest = np.full(height * width, np.inf)
    np.minimum.at(nearest, row[inside] * width + column[inside], value[inside])
    nearest[np.isinf(nearest)] = np.nan
    return nearest.reshape(height, width).astype(np.float32)
