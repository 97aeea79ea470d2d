"""Side data of a recording: what the recorder calls to have lidar, motion and labels written beside the pictures.

The recorder opens the writers of a drive, hands them every message of their topics in the bag's order, and finishes
them when the drive's frames are known:

    writers = open_side_writers(bag, config, spill)
    for message in bag.messages([image_topic, info_topic, *side_topics(writers)]):
        for writer in writers: if message.topic in writer.topics: writer.add(message.topic, message.message, stamp_ns)
    side = finish_side_writers(writers, drive_folder, frames, rectifier.stored_camera(frame_id))
    write_calibration(date_folder, K, width, height, stamp_ns, **mounting_of(side))

`stamp_ns` of a message is on the clock of the frames' stamps (header or bag time, as the recorder was asked).
`side` is JSON-able, the same for the same input, and goes into the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from depth_node.config.side_data import SideDataConfig
from depth_node.data.bag import BagReader
from depth_node.data.calibration import Matrix
from depth_node.data.rectification import StoredCamera


class RecordedFrame(Protocol):
    """A frame of a drive, as side data sees it."""

    @property
    def index(self) -> int:
        """Its number in the drive."""

    @property
    def stamp_ns(self) -> int:
        """Its time, ns."""


class SideWriter(Protocol):
    """Writes one kind of side data of one drive.

    Attributes:
        name: its key in the manifest.
        topics: the topics it wants to be fed with.
    """

    name: str
    topics: frozenset[str]

    def add(self, topic: str, message: Any, stamp_ns: int) -> None:
        """Take a message of one of its topics; memory stays bounded, larger data is spilled to disk."""

    def finish(self, folder: Path, frames: Sequence[RecordedFrame], camera: StoredCamera) -> dict[str, Any]:
        """Write the files of a drive.

        Args:
            folder: the drive's folder, which holds `image_02` already.
            frames: its frames in order of time; their pictures lie in `folder`.
            camera: of the stored pictures.

        Returns:
            What was written and how, for the manifest.

        Raises:
            DepthNodeError: the data is there but cannot be used; the line says what to do.
            OSError: a file cannot be written.
        """


def open_side_writers(bag: BagReader, config: SideDataConfig, spill: Path) -> list[SideWriter]:
    """Writers for everything beside the pictures that a bag holds and that is not switched off.

    Args:
        bag: an open bag.
        config: which topics and tolerances.
        spill: a folder for unfinished data, on the file system of the drive's folder; made when needed, gone after
            `finish`.

    Raises:
        BagError: a topic is not in the bag, of another type, or there are several to choose from.
        CalibrationError: the extrinsics file cannot be read.
    """
    return []


def side_topics(writers: Sequence[SideWriter]) -> tuple[str, ...]:
    """All topics that writers want, sorted."""
    return tuple(sorted({topic for writer in writers for topic in writer.topics}))


def finish_side_writers(
    writers: Sequence[SideWriter], folder: Path, frames: Sequence[RecordedFrame], camera: StoredCamera
) -> dict[str, Any]:
    """Finish all writers of a drive; their records by name. Raises as `SideWriter.finish`."""
    return {writer.name: writer.finish(folder, frames, camera) for writer in writers}


def mounting_of(side: Mapping[str, Any]) -> dict[str, Matrix]:
    """Where lidar and IMU sit, for `write_calibration`; empty where the side data does not say.

    Returns:
        `T_camera_lidar` and `T_lidar_imu`, (4, 4), metres, where known.
    """
    found = {}
    for record in side.values():
        for name in ("T_camera_lidar", "T_lidar_imu"):
            if name in record:
                found[name] = np.array(record[name], np.float64).reshape(4, 4)
    return found
