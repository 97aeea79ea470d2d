# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What runs on the graph: cameras, what is wrong with what they send, and what live nodes say of themselves."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depth_node.bags.message_types import COMPRESSED_IMAGE, IMAGE, camera_info_beside
from depth_node.camera.calibration import CameraCalibration
from depth_node.errors import CalibrationError, EncodingError
from depth_node.ros.diagnostics import is_live_status
from depth_node.ros.doctor.finding import BAD, NOTE, OK, WARN, Finding
from depth_node.ros.live.topic_list import CONFIDENCE, RGB
from depth_node.ros.messages import rgb_of, stamp_ns
from depth_node.ros.qos import MatchedSubscription, endpoint_name

DISCOVERY = 5.0
"""Seconds at most until the first camera is known."""
LOOK = 0.5
"""Seconds between two looks at the graph: cameras become known one after the other."""
KINDS = {IMAGE: Image, COMPRESSED_IMAGE: CompressedImage}
OWN = ("depth/", "semantic/")
"""Parts of topics that the live node publishes itself."""
SLOW = 2.0
"""Images a second below which a camera is worth a warning."""
OLD = 1.0
LARGE = 500_000


@dataclass
class Heard:
    """What came on a camera's topics.

    Attributes:
        stamps: of the images, ns.
        arrivals: seconds, of this process's steady clock.
        ages: seconds between stamp and arrival by the node's clock.
        last: the last image.
        info: the last calibration.
        info_stamps: of the calibrations, ns.
    """

    stamps: list[int] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    ages: list[float] = field(default_factory=list)
    last: Any = None
    info: CameraInfo | None = None
    info_stamps: set[int] = field(default_factory=set)


class GraphCheck(Node):
    """Listens for a while, then says what it has found."""

    def __init__(self) -> None:
        """Join the graph."""
        super().__init__("depth_doctor")
        self._heard: dict[str, Heard] = {}
        self._subscriptions_kept: list[MatchedSubscription] = []
        self._statuses: dict[str, DiagnosticStatus] = {}
        self.create_subscription(DiagnosticArray, "/diagnostics", self._take_diagnostics, 10)

    def listen(self, seconds: float, stop: threading.Event) -> None:
        """Find cameras, and hear them for so long."""
        executor = SingleThreadedExecutor()
        executor.add_node(self)
        end = time.monotonic() + DISCOVERY
        looked, first = 0.0, True
        while time.monotonic() < end and not stop.is_set():
            executor.spin_once(timeout_sec=0.1)
            if time.monotonic() - looked > LOOK:
                looked = time.monotonic()
                self._look()
            if first and self._heard:
                first, end = False, time.monotonic() + seconds
        executor.remove_node(self)

    def _look(self) -> None:
        """Subscribe to cameras that have become known, as their publishers offer."""
        found = dict(self.get_topic_names_and_types())
        for topic, types in found.items():
            if topic not in self._heard and types[0] in KINDS and not is_of_live_node(topic, found):
                self._hear(topic, KINDS[types[0]])
        for subscription in self._subscriptions_kept:
            subscription.poll()

    def findings(self) -> Iterator[Finding]:
        """What there is to say."""
        if not self._heard:
            yield Finding(
                WARN,
                "cameras",
                "no topic has images",
                "is the driver running, in the same ROS_DOMAIN_ID? `depth play BAG` stands in for one",
            )
        for topic, heard in sorted(self._heard.items()):
            yield from self._camera(topic, heard)
        yield from self._nodes()
        if self.count_publishers("/clock"):
            yield Finding(NOTE, "clock", "/clock is published: nodes with use_sim_time:=true follow it")

    def _hear(self, topic: str, kind: type) -> None:
        heard = self._heard[topic] = Heard()

        def take(message: Any) -> None:
            now = self.get_clock().now().nanoseconds
            heard.stamps.append(stamp_ns(message.header))
            heard.arrivals.append(time.monotonic())
            heard.ages.append((now - stamp_ns(message.header)) * 1e-9)
            heard.last = message

        def take_info(message: CameraInfo) -> None:
            heard.info = message
            heard.info_stamps.add(stamp_ns(message.header))

        info = camera_info_beside(topic)
        self._subscriptions_kept += [
            MatchedSubscription(self, kind, topic, take),
            MatchedSubscription(self, CameraInfo, info, take_info, may_latch=True),
        ]

    def _take_diagnostics(self, array: DiagnosticArray) -> None:
        self._statuses |= {status.name: status for status in array.status if is_live_status(status)}

    def _camera(self, topic: str, heard: Heard) -> Iterator[Finding]:
        publishers = self.get_publishers_info_by_topic(topic)
        names = ", ".join(sorted({endpoint_name(publisher) for publisher in publishers})) or "nobody"
        if not publishers:
            yield Finding(NOTE, topic, "is listened to, but nobody publishes it")
            return
        if not heard.stamps:
            yield Finding(
                BAD, topic, f"{names} announces it, and sends nothing", "look at the driver's log: is the camera there?"
            )
            return
        yield self._rate(topic, heard, names)
        yield from self._stamps(topic, heard)
        size = len(heard.last.data)
        best_effort = any(p.qos_profile.reliability == ReliabilityPolicy.BEST_EFFORT for p in publishers)
        if best_effort and size > LARGE:
            yield Finding(
                WARN,
                topic,
                f"images of {size / 1e6:.1f} MB are sent best effort: over Fast DDS' own shared memory most are lost",
                "let the driver publish reliably, or give it the profile depth_node/ros/large_messages.xml",
            )
        yield from self._content(topic, heard)
        yield from self._calibration(topic, heard)

    def _rate(self, topic: str, heard: Heard, names: str) -> Finding:
        times = np.array(heard.arrivals)
        if len(times) < 2:
            return Finding(WARN, topic, f"one image in all from {names}", "is the camera set to a trigger?")
        gaps = np.diff(times)
        rate, worst = 1.0 / float(np.mean(gaps)), float(gaps.max())
        text = f"{rate:.1f} images a second from {names}, longest gap {worst * 1e3:.0f} ms"
        return Finding(OK if rate > SLOW else WARN, topic, text)

    def _stamps(self, topic: str, heard: Heard) -> Iterator[Finding]:
        if not any(heard.stamps):
            yield Finding(BAD, topic, "images have no stamp", "let the driver fill header.stamp")
            return
        if any(np.diff(heard.stamps) <= 0):
            yield Finding(
                WARN, topic, "stamps repeat or run backwards", "is a bag looping, or are there two publishers?"
            )
        age = float(np.median(heard.ages))
        if abs(age) > OLD:
            yield Finding(
                WARN,
                topic,
                f"stamps are {abs(age):.1f} s {'old' if age > 0 else 'in the future'}",
                "from a bag: use_sim_time:=true with /clock; else set both machines' clocks (chrony), mind `max_age`",
            )
        if not heard.last.header.frame_id:
            yield Finding(WARN, topic, "frame_id is empty: clouds cannot be placed", "set the driver's frame_id")

    def _content(self, topic: str, heard: Heard) -> Iterator[Finding]:
        try:
            rgb = rgb_of(heard.last)
        except EncodingError as error:
            yield Finding(BAD, topic, str(error), "choose an encoding of the README in the driver")
            return
        kind = getattr(heard.last, "encoding", None) or heard.last.format
        yield Finding(OK, topic, f"{rgb.shape[1]}x{rgb.shape[0]} {kind}")

    def _calibration(self, topic: str, heard: Heard) -> Iterator[Finding]:
        name, info = camera_info_beside(topic), heard.info
        if info is None:
            yield Finding(
                BAD,
                name,
                "no calibration comes: no depth without it",
                "start the driver with its calibration file, or remap camera_info",
            )
            return
        try:
            calibration = CameraCalibration.from_camera_info(info)
            rgb = rgb_of(heard.last)
            calibration.check_image(rgb.shape[1], rgb.shape[0])
        except CalibrationError as error:
            yield Finding(BAD, name, str(error), "calibrate the camera (camera_calibration), mind binning and ROI")
            return
        except EncodingError:
            return  # said of the image
        degrees = float(np.degrees(2 * np.arctan(info.width / 2 / info.k[0]))) if info.k[0] else 0.0
        yield Finding(OK, name, f"focal length {info.k[0]:.0f} px, {degrees:.0f} degrees across")
        for doubt in calibration.doubts:
            yield Finding(WARN, name, f"hard to believe: {doubt}", "calibrate the camera again")
        if len(heard.info_stamps) > 1 and not heard.info_stamps & set(heard.stamps):
            yield Finding(
                NOTE,
                name,
                "its stamps are never those of the images",
                "the newest one is used; pairs are exact only by stamp",
            )

    def _nodes(self) -> Iterator[Finding]:
        if not self._statuses:
            yield Finding(NOTE, "live node", "none is running", "ros2 launch depth_node depth.launch.py image:=TOPIC")
        levels = {DiagnosticStatus.OK: OK, DiagnosticStatus.WARN: WARN}
        for name, status in sorted(self._statuses.items()):
            values = {value.key: value.value for value in status.values}
            wanted = ("rate [Hz]", "latency p95 [ms]", "scale source")
            more = ", ".join(f"{key.partition(' [')[0]} {values[key]}" for key in wanted if key in values)
            yield Finding(levels.get(status.level, BAD), name, f"{status.message} ({more})" if more else status.message)


def is_of_live_node(topic: str, topics: Collection[str]) -> bool:
    """Whether a topic of images is one that a live node publishes itself; `rgb/image_rect` may be a camera's, too."""
    beside = topic.removesuffix(RGB) + CONFIDENCE
    return any(f"/{part}" in topic for part in OWN) or (topic.endswith(f"/{RGB}") and beside in topics)
