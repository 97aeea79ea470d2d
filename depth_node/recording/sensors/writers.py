# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Side data of a recording: what the recorder calls to have lidar, motion and labels written beside the pictures.

The recorder opens the writers of a bag, hands them every message of their topics in the bag's order, and lets them
write drive after drive when the frames are known:

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
from typing import Any

import numpy as np

from depth_node.bags.message_types import GNSS, IMAGE, IMU, ODOMETRY, POINT_CLOUD
from depth_node.bags.reader import BagReader
from depth_node.camera.calibration import Matrix
from depth_node.camera.rectification import StoredCamera
from depth_node.config.side_data import SideDataConfig
from depth_node.errors import BagError
from depth_node.kitti.calibration import lidar_at_camera
from depth_node.recording.sensors.bag_extrinsics import extrinsics_of
from depth_node.recording.sensors.depth_images import DepthImageWriter
from depth_node.recording.sensors.labels import LabelWriter, open_checkpoint
from depth_node.recording.sensors.lidar import LidarWriter
from depth_node.recording.sensors.motion_log import MotionLog
from depth_node.recording.sensors.oxts import MotionWriter
from depth_node.recording.sensors.protocol import RecordedFrame, SideWriter

__all__ = ["RecordedFrame", "SideWriter", "finish_side_writers", "mounting_of", "open_side_writers", "side_topics"]

NONE = "none"
"""Asked for instead of a topic, it leaves that kind out."""


def open_side_writers(bag: BagReader, config: SideDataConfig, spill: Path) -> list[SideWriter]:
    """Writers for everything beside the pictures that a bag holds and that is not switched off.

    Args:
        bag: an open bag.
        config: which topics and tolerances.
        spill: a folder for data until the frames are known; made when needed, the caller removes it in the end.

    Raises:
        BagError: a topic is not in the bag, of another type, or there are several to choose from.
        CalibrationError: the extrinsics file cannot be read.
        CheckpointError: the semantic checkpoint cannot be read, or fetched from the hub.
    """
    extrinsics = extrinsics_of(bag, config.extrinsics)
    log = MotionLog(extrinsics)
    writers: list[SideWriter] = []
    asked = {ODOMETRY: config.odometry_topic, IMU: config.imu_topic, GNSS: config.gnss_topic}
    motion = {topic: kind for kind, name in asked.items() if (topic := choose_side_topic(bag, kind, name))}
    if motion:
        writers.append(MotionWriter(motion, log, extrinsics, config.motion_tolerance))
    if config.depth_topic:
        writers.append(_depth_writer(bag, config, spill))
    elif lidar := choose_side_topic(bag, POINT_CLOUD, config.lidar_topic):
        required = bool(config.lidar_topic or config.extrinsics)
        tolerances = config.lidar_tolerance, config.motion_tolerance
        writers.append(LidarWriter(lidar, extrinsics, log, spill, *tolerances, required))
    if config.semantic_checkpoint:
        writers.append(LabelWriter(open_checkpoint(config.semantic_checkpoint)))
    return writers


def _depth_writer(bag: BagReader, config: SideDataConfig, spill: Path) -> DepthImageWriter:
    if config.lidar_topic not in ("", NONE):
        raise BagError("depth of a frame comes from --depth_topic or from --lidar_topic: give one of them")
    if (found := bag.topic(config.depth_topic).type) != IMAGE:
        raise BagError(f"topic '{config.depth_topic}' is of type {found}, not {IMAGE}: name uncompressed depth images")
    return DepthImageWriter(config.depth_topic, spill, config.lidar_tolerance)


def choose_side_topic(bag: BagReader, kind: str, asked: str) -> str:
    """The topic of a message type: the asked one, the only one of its type with messages, or empty.

    Raises:
        BagError: the asked one is not there or of another type, or there are several.
    """
    if asked == NONE:
        return ""
    if asked:
        if (found := bag.topic(asked).type) != kind:
            raise BagError(f"topic '{asked}' is of type {found}, not {kind}: name another or '{NONE}'")
        return asked
    names = [topic.name for topic in bag.topics if topic.type == kind and topic.count]
    if len(names) > 1:
        flag = {POINT_CLOUD: "lidar", ODOMETRY: "odometry", IMU: "imu", GNSS: "gnss"}[kind]
        raise BagError(
            f"which {kind.rpartition('/')[2]} of bag {bag.path}? Choose one with --{flag}_topic (or '{NONE}'): "
            f"{', '.join(names)}"
        )
    return names[0] if names else ""


def side_topics(writers: Sequence[SideWriter]) -> tuple[str, ...]:
    """All topics that writers want, sorted."""
    return tuple(sorted({topic for writer in writers for topic in writer.topics}))


def finish_side_writers(
    writers: Sequence[SideWriter], folder: Path, frames: Sequence[RecordedFrame], camera: StoredCamera
) -> dict[str, Any]:
    """Finish all writers of a drive; their records by name. Raises as `SideWriter.finish`."""
    return {writer.name: writer.finish(folder, frames, camera) for writer in writers}


def mounting_of(side: Mapping[str, Any]) -> dict[str, Matrix]:
    """Where lidar and IMU sit, for `write_calibration`; empty where there is none of them.

    Returns:
        `T_camera_lidar` and `T_lidar_imu`, (4, 4), metres; NaN where there are scans but nothing says where their
        lidar sits, as a made-up place would be taken for a measured one.
    """
    known = {
        name: np.array(record[name], np.float64).reshape(4, 4)
        for record in side.values()
        for name in ("T_camera_lidar", "T_camera_imu")
        if name in record
    }
    placed = {"T_camera_lidar": known["T_camera_lidar"]} if "T_camera_lidar" in known else {}
    if not placed and any(record.get("frames") for name, record in side.items() if name == LidarWriter.name):
        placed = {"T_camera_lidar": np.full((4, 4), np.nan)}
    if "T_camera_imu" in known:
        T_camera_lidar = placed.get("T_camera_lidar", lidar_at_camera())
        placed["T_lidar_imu"] = np.asarray(np.linalg.inv(T_camera_lidar) @ known["T_camera_imu"], np.float64)
    return placed
