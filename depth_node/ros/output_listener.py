# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Stands in for the robot: subscribes to the live node's outputs and keeps what arrives, with its delay.

`python -m depth_node.ros.output_listener FOLDER FRAMES CAMERA_INFO` writes depth/<stamp>.npy, labels/<stamp>.npy (where
the node has a semantic network), clouds/<stamp>.npy and received.json. Each cloud is compared with the depth and label
images of its stamp. The delay of a depth image is the time since the camera info of the same stamp arrived in this
process, so that one clock measures both ends.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import String

from depth_node.ros.live.topic_list import CLASSES, DEPTH, INFO, LABELS, POINTS
from depth_node.ros.main import ros_context
from depth_node.ros.messages import depth_of, labels_of, points_of, stamp_ns
from depth_node.ros.qos import latched_profile

READY = "listening"
QUIET_SECONDS = 6.0
"""The drive is over when nothing has come for this long after the first frame."""

CLOUD_EVERY = 10
"""Clouds are kept of every so many frames; all of them would be a lot of disk for pictures that few look at."""

WAITING = 20
"""So many stamps may wait for the rest of their messages before the oldest is given up."""


@dataclass
class Received:
    """What came, by stamp in nanoseconds; times are this process's monotonic seconds.

    Attributes:
        classes: the record of the class map; empty without a semantic network.
        compared: number of clouds that were compared with the images of their stamp.
        misfits: stamps of those that differ.
    """

    camera: dict[str, float] = field(default_factory=dict)
    depth: dict[str, float] = field(default_factory=dict)
    depth_info: dict[str, list[float]] = field(default_factory=dict)
    cloud: dict[str, float] = field(default_factory=dict)
    labels: dict[str, float] = field(default_factory=dict)
    classes: dict[str, Any] = field(default_factory=dict)
    compared: int = 0
    misfits: list[str] = field(default_factory=list)


class Listener(Node):
    """Keeps every depth and label image, the intrinsics and some of the clouds."""

    def __init__(self, folder: Path, camera_info: str) -> None:
        super().__init__("listener")
        self.folder = folder
        self.received = Received()
        self.last_arrival = time.monotonic()
        self._waiting: dict[str, dict[str, NDArray[Any]]] = {}
        for name in ("depth", "labels", "clouds"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        profile = QoSProfile(depth=10)
        self.create_subscription(CameraInfo, camera_info, self._on_camera, profile)
        self.create_subscription(Image, DEPTH, self._on_depth, profile)
        self.create_subscription(CameraInfo, INFO, self._on_depth_info, profile)
        self.create_subscription(PointCloud2, POINTS, self._on_cloud, profile)
        self.create_subscription(Image, LABELS, self._on_labels, profile)
        self.create_subscription(String, CLASSES, self._on_classes, latched_profile())

    def node_is_up(self) -> bool:
        """Whether somebody publishes depth."""
        return self.count_publishers(DEPTH) > 0

    def has_all(self, frames: int) -> bool:
        """Whether every output of so many frames has come."""
        found = [self.received.depth, self.received.cloud]
        found += [self.received.labels] if self.received.classes else []
        return all(len(messages) >= frames for messages in found)

    def _on_camera(self, message: CameraInfo) -> None:
        self._keep(self.received.camera, message)

    def _on_depth(self, message: Image) -> None:
        stamp = self._keep(self.received.depth, message)
        np.save(self.folder / "depth" / f"{stamp}.npy", depth_of(message))
        self._compare(stamp, depth=depth_of(message))

    def _on_labels(self, message: Image) -> None:
        stamp = self._keep(self.received.labels, message)
        np.save(self.folder / "labels" / f"{stamp}.npy", labels_of(message))
        self._compare(stamp, labels=labels_of(message))

    def _on_classes(self, message: String) -> None:
        self.received.classes = json.loads(message.data)

    def _on_depth_info(self, message: CameraInfo) -> None:
        self.received.depth_info[_stamp(message)] = [float(value) for value in message.k]

    def _on_cloud(self, message: PointCloud2) -> None:
        stamp = self._keep(self.received.cloud, message)
        if len(self.received.cloud) % CLOUD_EVERY == 1:
            np.save(self.folder / "clouds" / f"{stamp}.npy", points_of(message))
        self._compare(stamp, cloud=points_of(message))

    def _compare(self, stamp: str, **arrived: NDArray[Any]) -> None:
        """Note whether the messages of a stamp fit together, once all of them are there."""
        together = self._waiting.setdefault(stamp, {})
        together.update(arrived)
        if {"depth", "cloud"} <= set(together) and ("labels" in together or not has_labels(together["cloud"])):
            self.received.compared += 1
            self.received.misfits += [] if fits(**self._waiting.pop(stamp)) else [stamp]
        elif len(self._waiting) > WAITING:
            del self._waiting[next(iter(self._waiting))]

    def _keep(self, where: dict[str, float], message: Any) -> str:
        stamp = _stamp(message)
        self.last_arrival = where[stamp] = time.monotonic()
        return stamp


def _stamp(message: Any) -> str:
    return str(stamp_ns(message.header))


def has_labels(cloud: NDArray[np.void]) -> bool:
    """Whether points have a semantic class."""
    return "label" in (cloud.dtype.names or ())


def fits(depth: NDArray[np.float32], cloud: NDArray[np.void], labels: NDArray[np.uint8] | None = None) -> bool:
    """Whether an organised cloud has a point where there is a depth, at that depth, and each pixel's label.

    Args:
        depth: (h, w) metres, not finite where there is no point.
        cloud: (h, w) points.
        labels: (h, w) class numbers, needed where points have labels.
    """
    depths = np.array_equal(np.where(np.isfinite(depth), depth, np.nan), cloud["z"], equal_nan=True)
    if labels is None:
        return depths and not has_labels(cloud)
    return depths and (not has_labels(cloud) or np.array_equal(cloud["label"], labels))


def listen(
    folder: Path,
    frames: int,
    stop: threading.Event,
    camera_info: str = "camera_info",
    patience: float = 60.0,
) -> None:
    """Listen until the camera's `frames` frames are over, then write received.json.

    Args:
        folder: where to keep what comes.
        frames: number of frames that the camera will publish.
        stop: ends the listening when set.
        camera_info: topic of the camera's own info.
        patience: seconds to wait for the live node, and then for the first frame.
    """
    node = Listener(folder, camera_info)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    deadline = time.monotonic() + patience
    while not stop.is_set() and not node.node_is_up() and time.monotonic() < deadline:
        executor.spin_once(timeout_sec=0.1)
    print(READY, flush=True)
    node.last_arrival = time.monotonic() + patience  # the first frame may take its time
    while not stop.is_set() and time.monotonic() - node.last_arrival < QUIET_SECONDS:
        executor.spin_once(timeout_sec=0.1)
        if node.has_all(frames):
            break
    (folder / "received.json").write_text(json.dumps(asdict(node.received), indent=1))
    node.destroy_node()


if __name__ == "__main__":
    with ros_context(["--ros-args", *sys.argv[4:]] if sys.argv[4:] else []) as stopped:
        listen(Path(sys.argv[1]), int(sys.argv[2]), stopped, sys.argv[3])
