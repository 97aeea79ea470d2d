"""Stands in for the robot: subscribes to the live node's outputs and keeps what arrives, with its delay.

`python -m depth_node.ros.listener FOLDER FRAMES` writes depth/<stamp>.npy, clouds/<stamp>.npy and received.json.
The delay of a depth image is the time since the camera info of the same stamp arrived in this process, so that one
clock measures both ends.
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
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from depth_node.ros.main import ros_context
from depth_node.ros.messages import depth_of, points_of

READY = "listening"
QUIET_SECONDS = 6.0
"""The drive is over when nothing has come for this long after the first frame."""

CLOUD_EVERY = 10
"""Clouds are kept of every so many frames; all of them would be a lot of disk for pictures that few look at."""


@dataclass
class Received:
    """What came, by stamp in nanoseconds; times are this process's monotonic seconds."""

    camera: dict[str, float] = field(default_factory=dict)
    depth: dict[str, float] = field(default_factory=dict)
    depth_info: dict[str, list[float]] = field(default_factory=dict)
    cloud: dict[str, float] = field(default_factory=dict)


class Listener(Node):
    """Keeps every depth image, its intrinsics and some of the clouds."""

    def __init__(self, folder: Path, camera_info: str) -> None:
        super().__init__("listener")
        self.folder = folder
        self.received = Received()
        self.last_arrival = time.monotonic()
        for name in ("depth", "clouds"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        profile = QoSProfile(depth=10)
        self.create_subscription(CameraInfo, camera_info, self._on_camera, profile)
        self.create_subscription(Image, "depth/image_rect", self._on_depth, profile)
        self.create_subscription(CameraInfo, "depth/camera_info", self._on_depth_info, profile)
        self.create_subscription(PointCloud2, "depth/points", self._on_cloud, profile)

    def node_is_up(self) -> bool:
        """Whether somebody publishes depth."""
        return self.count_publishers("depth/image_rect") > 0

    def _on_camera(self, message: CameraInfo) -> None:
        self._keep(self.received.camera, message)

    def _on_depth(self, message: Image) -> None:
        stamp = self._keep(self.received.depth, message)
        np.save(self.folder / "depth" / f"{stamp}.npy", depth_of(message))

    def _on_depth_info(self, message: CameraInfo) -> None:
        self.received.depth_info[_stamp(message)] = [float(value) for value in message.k]

    def _on_cloud(self, message: PointCloud2) -> None:
        stamp = self._keep(self.received.cloud, message)
        if len(self.received.cloud) % CLOUD_EVERY == 1:
            np.save(self.folder / "clouds" / f"{stamp}.npy", points_of(message))

    def _keep(self, where: dict[str, float], message: Any) -> str:
        stamp = _stamp(message)
        self.last_arrival = where[stamp] = time.monotonic()
        return stamp


def _stamp(message: Any) -> str:
    return str(message.header.stamp.sec * 10**9 + message.header.stamp.nanosec)


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
        if len(node.received.depth) >= frames and len(node.received.cloud) >= frames:
            break
    (folder / "received.json").write_text(json.dumps(asdict(node.received), indent=1))
    node.destroy_node()


if __name__ == "__main__":
    with ros_context(["--ros-args", *sys.argv[4:]] if sys.argv[4:] else []) as stopped:
        listen(Path(sys.argv[1]), int(sys.argv[2]), stopped, sys.argv[3])
