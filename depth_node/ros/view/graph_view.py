# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node that listens to live nodes and draws what they publish; it asks for nothing that could hold them up."""

from __future__ import annotations

import itertools
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import String

from depth_node.config.classes import ClassMap
from depth_node.config.view import ViewConfig
from depth_node.errors import ConfigError
from depth_node.ros.diagnostics import is_live_status
from depth_node.ros.live.topic_list import CLASSES, CONFIDENCE, DEPTH, INFO, LABELS, POINTS, RGB
from depth_node.ros.messages import depth_of, labels_of, points_of, rgb_of, stamp_ns
from depth_node.ros.qos import latched_profile
from depth_node.ros.view.pace import Pace
from depth_node.ros.view.rerun_scene import Scene

LOOK = 0.5
"""Seconds between two looks at the graph."""
PATIENCE = 3.0
"""Seconds until it is said that no live node was found."""
SILENCE = 10.0
"""Seconds without a frame until it is said that none comes; twice as long each time, for slow nodes."""
NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT, durability=DurabilityPolicy.VOLATILE)
"""Nobody waits for us, nothing is sent twice, and what is late is gone."""
UNNAMED = "camera"
"""What a camera without namespace is called."""
SHOWN = ("rate [Hz]", "latency p95 [ms]", "images received", "images published", "scale source", "model", "backend")
"""Diagnostic values for people, if they are there."""
LEVELS = {DiagnosticStatus.OK: "fine", DiagnosticStatus.WARN: "warning", DiagnosticStatus.ERROR: "error"}


@dataclass
class LiveCamera:
    """A live node's outputs.

    Attributes:
        name: of the entities, 'front'.
        pace: which frames are shown.
        since: when it was found or last sent something, seconds of the steady clock.
        far: end of the depth's colours, metres; 0 until a depth image has come.
        is_shown: whether frames come; None while nothing was said of that.
        patience: seconds until it is said that none comes.
    """

    name: str
    pace: Pace
    since: float
    far: float = 0.0
    is_shown: bool | None = None
    patience: float = SILENCE


class GraphView(Node):
    """Shows every live node that it finds."""

    def __init__(
        self, scene: Scene, config: ViewConfig, namespaces: Sequence[str], report: Callable[[str], None]
    ) -> None:
        """Join the graph.

        Args:
            scene: where to draw.
            config: how often, and how much.
            namespaces: to show only these live nodes; empty shows all.
            report: takes one line for people.
        """
        super().__init__("depth_view")
        self._scene, self._config, self._report = scene, config, report
        self._wanted = [f"/{namespace.strip('/')}" for namespace in namespaces]
        self._cameras: dict[str, LiveCamera] = {}
        self._statuses: dict[str, DiagnosticStatus] = {}
        self._numbers = itertools.count(1)
        self._started, self._said = time.monotonic(), ""
        self.create_subscription(DiagnosticArray, "/diagnostics", self._take_diagnostics, NEWEST)
        self.create_timer(LOOK, self._look)

    def _look(self) -> None:
        """Take in live nodes that have become known, and say what is waited for."""
        found = live_namespaces(self.get_topic_names_and_types())
        for namespace in found:
            if namespace not in self._cameras and (not self._wanted or namespace in self._wanted):
                self._add(namespace)
        now = time.monotonic()
        absent = [namespace for namespace in self._wanted or self._cameras or ["/"] if namespace not in found]
        if absent and now - self._started > PATIENCE:
            topics = ", ".join(f"{namespace.rstrip('/')}/{DEPTH}" for namespace in absent)
            domain = os.environ.get("ROS_DOMAIN_ID", "0")
            self._say(
                f"waiting for a live node: nobody publishes {topics} in ROS_DOMAIN_ID {domain}; "
                "`ros2 launch depth_node depth.launch.py image:=TOPIC` starts one"
            )
        for namespace, camera in self._cameras.items():
            if camera.is_shown is not False and now - camera.since > camera.patience and namespace in found:
                camera.is_shown, camera.patience = False, 2 * camera.patience
                said = [status.message for name, status in self._statuses.items() if in_namespace(name, namespace)]
                self._say(f"waiting for frames of {camera.name}: its node says '{'; '.join(said) or 'nothing'}'")

    def _say(self, line: str) -> None:
        """A line once, until another one was said."""
        if line != self._said:
            self._said = line
            self._report(line)

    def _add(self, namespace: str) -> None:
        camera = LiveCamera(
            namespace.strip("/") or UNNAMED,
            Pace(self._config.max_rate, lambda: next(self._numbers)),
            time.monotonic(),
        )
        self._cameras[namespace] = camera
        self._scene.add_camera(camera.name)
        takes: Mapping[str, tuple[type, Callable[[LiveCamera, Any], None]]] = {
            INFO: (CameraInfo, self._draw_calibration),
            RGB: (Image, self._draw_image),
            DEPTH: (Image, self._draw_depth),
            LABELS: (Image, self._draw_labels),
            POINTS: (PointCloud2, self._draw_points),
        }
        base = namespace.rstrip("/")
        for topic, (kind, draw) in takes.items():
            self.create_subscription(kind, f"{base}/{topic}", self._framed(camera, draw), NEWEST)
        self.create_subscription(
            String, f"{base}/{CLASSES}", lambda message: self._take_classes(camera, message), latched_profile()
        )

    def _framed(self, camera: LiveCamera, draw: Callable[[LiveCamera, Any], None]) -> Callable[[Any], None]:
        """Draw a message into its frame, where that is shown."""

        def take(message: Any) -> None:
            camera.since, stamp = time.monotonic(), stamp_ns(message.header)
            if not camera.is_shown:
                camera.is_shown = True
                self._say(f"showing {camera.name}")
            number = camera.pace.number(stamp, camera.since)
            if number is not None:
                self._scene.start_frame(number, stamp)
                draw(camera, message)

        return take

    def _draw_calibration(self, camera: LiveCamera, info: CameraInfo) -> None:
        self._scene.calibration(camera.name, np.reshape(info.k, (3, 3)), info.width, info.height)

    def _draw_image(self, camera: LiveCamera, image: Image) -> None:
        self._scene.image(camera.name, rgb_of(image))

    def _draw_depth(self, camera: LiveCamera, image: Image) -> None:
        depth = np.asarray(depth_of(image), np.float32)
        camera.far = steady_far(depth, camera.far)
        self._scene.depth(camera.name, depth, camera.far)

    def _draw_labels(self, camera: LiveCamera, image: Image) -> None:
        self._scene.labels(camera.name, labels_of(image))

    def _draw_points(self, camera: LiveCamera, cloud: PointCloud2) -> None:
        self._scene.points(camera.name, points_of(cloud))

    def _take_classes(self, camera: LiveCamera, message: String) -> None:
        try:
            self._scene.classes(camera.name, ClassMap.of(json.loads(message.data)))
        except (ConfigError, ValueError, AttributeError) as error:
            self._say(f"the classes of {camera.name} cannot be read: {error}")

    def _take_diagnostics(self, array: DiagnosticArray) -> None:
        for status in filter(is_live_status, array.status):
            self._statuses[status.name] = status
        self._scene.state(in_words(self._statuses))


def live_namespaces(topics: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Namespaces of live nodes, '/' or '/front': where depth, and how sure it is, are published beside each other.

    Args:
        topics: names and types, as the graph has them.
    """
    names = {name for name, _ in topics}
    ending = f"/{DEPTH}"
    bases = [name.removesuffix(ending) for name in sorted(names) if name.endswith(ending)]
    return [base or "/" for base in bases if f"{base}/{CONFIDENCE}" in names]


def in_namespace(status: str, namespace: str) -> bool:
    """Whether a status is of what publishes in '/front'.

    That is a node there, 'front/depth_node', or a camera of that name of a node with several, 'depth_node: front'.
    """
    node, _, camera = status.partition(": ")
    return "/".join(filter(None, (node.rpartition("/")[0], camera))) == namespace.strip("/")


def steady_far(depth: np.ndarray[Any, np.dtype[np.float32]], before: float) -> float:
    """The end of the colours, metres: most of what is finite lies before it, and it moves slowly.

    Args:
        depth: (H, W) metres.
        before: what it was; 0 at first.
    """
    finite = depth[::4, ::4]
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return before or 1.0
    now = float(np.percentile(finite, 95))
    return 0.9 * before + 0.1 * now if before else now


def in_words(statuses: Mapping[str, DiagnosticStatus]) -> str:
    """What live nodes say of themselves, as Markdown."""
    parts = []
    for name, status in sorted(statuses.items()):
        values = {value.key: value.value for value in status.values}
        rows = [f"* {key}: {value}" for key, value in values.items() if key in SHOWN or key.startswith("dropped")]
        parts.append("\n".join([f"**{name}**, {LEVELS.get(status.level, 'error')}: {status.message}", "", *rows]))
    return "\n\n".join(parts)
