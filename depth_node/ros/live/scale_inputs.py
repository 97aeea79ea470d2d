# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the live node hears besides its camera: lidar, laser scanner, range finder, odometry, and where they sit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import LaserScan, PointCloud2, Range

from depth_node.config.live import MEASURED, ScaleSettings
from depth_node.ros.live.topic_list import SCALE_INPUTS, TRANSFORM_INPUTS
from depth_node.ros.messages import stamp_ns
from depth_node.ros.qos import MatchedSubscription
from depth_node.scale.depth_frame import Matrix, NoReading
from depth_node.scale.measured_points import LEAST_CLOUD_POINTS, LEAST_SCAN_POINTS, scan_points
from depth_node.scale.sources import CloudSource, HeightSource, OdometrySource, RangeSource, Source
from depth_node.sensing.point_cloud import read_cloud
from depth_node.sensing.transform_tree import Extrinsics, TransformTree, add_transforms, read_extrinsics

try:
    from tf2_msgs.msg import TFMessage
except ImportError:  # part of every ROS installation, not on PyPI
    TFMessage = None

POLL_PERIOD = 0.5
"""Seconds between looks at the graph."""
ADVICE = "publish it on /tf_static or name a file with scale.extrinsics"
WITHOUT_TF = "name a file with scale.extrinsics, as tf2_msgs is not installed and TF cannot be read"


class Transforms:
    """Where frames sit, from /tf_static, /tf and the user's file, which wins. Asked from another thread."""

    def __init__(self, file: str) -> None:
        """Read the file; raises CalibrationError."""
        self._heard = TransformTree("TF", WITHOUT_TF if TFMessage is None else ADVICE)
        self._given = read_extrinsics(Path(file).expanduser()) if file else None
        self._lock = threading.Lock()

    def add(self, message: Any) -> None:
        """Take links; newer ones replace older ones."""
        with self._lock:
            add_transforms(self._heard, message.transforms)

    def find(self, target: str, source: str) -> Matrix:
        """T_target_source (4, 4), metres; raises NoReading where the frames are not linked."""
        with self._lock:
            trees = Extrinsics.preferring(self._given, self._heard) if self._given else Extrinsics([self._heard])
            found = trees.find(target, source)
            if found is None:
                raise NoReading(trees.problem(target, source))
            return found


class ScaleInputs:
    """The sources that a configuration asks for, and the subscriptions that feed them."""

    def __init__(
        self, node: Node, settings: ScaleSettings, scale: Callable[[], float], is_wanted: Callable[[], object]
    ) -> None:
        """Subscribe.

        Args:
            node: owner of the subscriptions.
            settings: which sources.
            scale: tells the scale in use.
            is_wanted: tells whether anybody wants depth; while nobody does, nothing is received.

        Raises:
            CalibrationError: the file of extrinsics cannot be read.
        """
        self._node, self._is_wanted = node, is_wanted
        transforms = Transforms(settings.extrinsics)
        made: dict[str, Source] = {
            "lidar": CloudSource(transforms.find, "lidar", LEAST_CLOUD_POINTS),
            "scan": CloudSource(transforms.find, "laser scanner", LEAST_SCAN_POINTS),
            "range": RangeSource(transforms.find, scale),
            "odometry": OdometrySource(transforms.find),
            "camera_height": HeightSource(transforms.find, settings.camera_height, settings.ground_frame),
        }
        asked = MEASURED if settings.source == "auto" else (settings.source,)
        self.sources: Mapping[str, Source] = {name: made[name] for name in asked if name in made}
        """By name, best first."""
        callbacks = {"lidar": self._on_cloud, "scan": self._on_scan, "range": self._on_range, "odometry": self._on_odom}
        self._subscriptions = [
            MatchedSubscription(node, about.kind, node.resolve_topic_name(topic), callbacks[name])
            for name, (topic, about) in SCALE_INPUTS.items()
            if name in self.sources
        ]
        if self.sources and TFMessage is not None:
            # Transforms stay subscribed: static ones come once, and a name may change while nobody wants depth.
            for topic, about in TRANSFORM_INPUTS.items():
                name = node.resolve_topic_name(topic)
                self._subscriptions.append(
                    MatchedSubscription(node, TFMessage, name, transforms.add, may_latch=about.may_latch)
                )
        self._timer = node.create_timer(POLL_PERIOD, self._poll, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_timer(self._timer)
        for subscription in self._subscriptions:
            subscription.close()

    def heard(self, source: str) -> bool:
        """Whether somebody publishes what a source needs; a height needs nobody."""
        return any(each.topic == self.topic(source) and each.publishers for each in self._subscriptions)

    def topic(self, source: str) -> str:
        """Full name of a source's topic; empty for a height, which has none."""
        return self._node.resolve_topic_name(SCALE_INPUTS[source][0]) if source in SCALE_INPUTS else ""

    def _poll(self) -> None:
        wanted = bool(self._is_wanted())
        for subscription in self._subscriptions:
            subscription.poll(wanted or subscription.topic.endswith(("/tf", "/tf_static")))

    def _on_cloud(self, message: PointCloud2) -> None:
        self._clouds("lidar").add(stamp_ns(message.header), message.header.frame_id, lambda: read_cloud(message))

    def _on_scan(self, message: LaserScan) -> None:
        about = (message.angle_min, message.angle_increment, message.range_min, message.range_max)
        ranges = np.asarray(message.ranges)
        self._clouds("scan").add(stamp_ns(message.header), message.header.frame_id, lambda: scan_points(ranges, *about))

    def _on_range(self, message: Range) -> None:
        source = self.sources["range"]
        assert isinstance(source, RangeSource)
        if message.min_range <= message.range <= message.max_range:  # infinite: nothing there
            is_sound = message.radiation_type == Range.ULTRASOUND
            frame, angle = message.header.frame_id, float(message.field_of_view)
            source.add(stamp_ns(message.header), frame, float(message.range), angle, is_sound)

    def _on_odom(self, message: Odometry) -> None:
        source = self.sources["odometry"]
        assert isinstance(source, OdometrySource)
        source.add(stamp_ns(message.header), message)

    def _clouds(self, name: str) -> CloudSource:
        source = self.sources[name]
        assert isinstance(source, CloudSource)
        return source
