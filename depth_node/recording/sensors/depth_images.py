# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images of a bag, as a depth camera gives them beside its colour, to `proj_depth/groundtruth` of the frames.

They must be registered to the camera: a pixel of one is the same pixel of the other, as RealSense's align_depth and
ZED's registered depth have it.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.camera.rectification import StoredCamera
from depth_node.errors import EncodingError
from depth_node.kitti.formats import read_depth, write_depth
from depth_node.kitti.layout import LEFT, KittiSequence
from depth_node.recording.sensors.lidar import match_nearest, nearest_seconds
from depth_node.recording.sensors.protocol import RecordedFrame

METRES = {"16UC1": ("u2", 1e-3), "mono16": ("u2", 1e-3), "32FC1": ("f4", 1.0)}
"""Encodings of depth (REP 118): NumPy's type, and metres per unit."""


REGISTERED = "their pixels must be the camera's (align_depth, and pictures without distortion)"


def read_depth_image(message: Any) -> NDArray[np.float32]:
    """(H, W) metres of a depth Image, NaN where it knows nothing; raises EncodingError."""
    if message.encoding not in METRES:
        raise EncodingError(f"'{message.encoding}' is no encoding of depth: expected {' or '.join(METRES)}")
    kind, unit = METRES[message.encoding]
    dtype = np.dtype((">" if message.is_bigendian else "<") + kind)
    height, width, step = int(message.height), int(message.width), int(message.step)
    data = np.frombuffer(message.data, np.uint8)
    row = width * dtype.itemsize
    if min(height, width) < 1 or step < row or data.size < step * (height - 1) + row:
        raise EncodingError(f"depth image of {width}x{height}: {data.size} bytes do not fit rows of {step}")
    raw = np.ndarray((height, width), dtype, data, strides=(step, dtype.itemsize))
    metres = raw.astype(np.float32) * np.float32(unit)
    return np.where(np.isfinite(metres) & (metres > 0), metres, np.float32(np.nan))


class DepthImageWriter:
    """Writes the depth images of a drive as measured depth of its frames."""

    name = "depth"

    def __init__(self, topic: str, spill: Path, tolerance: float) -> None:
        """Prepare.

        Args:
            topic: of the depth images.
            spill: folder for them until the frames are known.
            tolerance: largest distance in time between depth image and frame, s.
        """
        self.topics = frozenset({topic})
        self._topic, self._spill, self._tolerance = topic, spill, tolerance
        self._stamps, self._broken = array("q"), list[str]()

    def add(self, topic: str, message: Any, stamp_ns: int) -> None:  # noqa: ARG002 (there is but one)
        """Spill a depth image to disk; a broken one is counted."""
        try:
            depth = read_depth_image(message)
        except EncodingError as error:
            self._broken.append(str(error))
            return
        write_depth(self._path(len(self._stamps)), depth)
        self._stamps.append(stamp_ns)

    def finish(self, folder: Path, frames: Sequence[RecordedFrame], camera: StoredCamera) -> dict[str, Any]:
        """Write the depth picture of every frame that has one; see `SideWriter.finish`."""
        sequence, stamps = KittiSequence(folder), np.array(self._stamps, np.int64)
        wanted = [frame.stamp_ns for frame in frames]
        notes, digest, shares = [], hashlib.sha256(), list[float]()
        matches = match_nearest(stamps, wanted, self._tolerance)
        if len(stamps) and camera.is_rectified:
            notes.append(f"depth images are left out: the pictures' distortion was removed, not theirs; {REGISTERED}")
            matches = [-1] * len(wanted)
        others = set[str]()
        for frame, image in zip(frames, matches, strict=True):
            if image < 0:
                continue
            depth = read_depth(self._path(image))
            if depth.shape != (camera.height, camera.width):
                others.add(f"{depth.shape[1]}x{depth.shape[0]}")
                continue
            write_depth(sequence.depth_path(frame.index), depth)
            digest.update(depth.tobytes())
            shares.append(float(np.isfinite(depth).mean()))
        if others:
            size = f"{camera.width}x{camera.height}"
            notes.append(f"depth images of {', '.join(sorted(others))} are left out: pictures are {size}; {REGISTERED}")
        if self._broken:
            notes.append(f"{len(self._broken)} depth images cannot be read: {self._broken[0]}")
        return {
            "topic": self._topic,
            "images": len(stamps),
            "frames": len(shares),
            "frames_without": len(frames) - len(shares),
            "median_share": round(float(np.median(shares)), 4) if shares else 0.0,
            "nearest_s": nearest_seconds(stamps, wanted),
            "sha256": digest.hexdigest(),
            "camera": LEFT,
            "notes": notes,
        }

    def _path(self, image: int) -> Path:
        return self._spill / f"depth_{image}.png"
