# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Publishes a bag on ROS 2 with its own stamps: the part of `ros2 bag play` that camera tests need, from pip alone.

Messages are passed on as the bytes that were recorded, so every type whose message package is installed plays.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from depth_node.bags.message_types import CAMERA_INFO, COMPRESSED, COMPRESSED_IMAGE, IMAGE
from depth_node.bags.reader import BagMessage, BagReader, BagTopic
from depth_node.camera.encodings import decode_compressed
from depth_node.config.play import PlayConfig
from depth_node.errors import BagError
from depth_node.ros.messages import fill_image

SETTLE = 0.5
"""Seconds without a new subscriber before playing starts: subscriptions of one node come one by one."""


class BagPlayer(Node):
    """A node that plays one bag."""

    def __init__(self, bag: BagReader, config: PlayConfig, topics: Sequence[str], stop: threading.Event) -> None:
        """Advertise.

        Args:
            bag: open bag.
            config: speed, quality of service and naming.
            topics: topics to play; empty plays all whose type is installed.
            stop: ends the playing when set.

        Raises:
            BagError: a topic is not in the bag, or nothing can be played.
        """
        super().__init__("bag_player")
        self._bag, self._config, self._stop = bag, config, stop
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self._publishers_by_topic: dict[str, Publisher[Any]] = {}
        self._images: list[Publisher[Any]] = []
        self.published: Counter[str] = Counter()
        for topic in [bag.topic(name) for name in topics] or [topic for topic in bag.topics if topic.count]:
            self._advertise(topic)
        if not self._publishers_by_topic:
            raise BagError(f"bag {bag.path} has nothing to play: no message, or none of an installed type")
        self._clock_publisher = self.create_publisher(Clock, "/clock", 10) if config.clock else None

    def play(self) -> None:
        """Publish everything once, or until interrupted when looping."""
        self._wait_for_subscribers()
        while self._play_once() and self._config.loop:
            pass
        for publisher in self._publishers_by_topic.values():
            if not self._stop.is_set() and publisher.get_subscription_count():
                publisher.wait_for_all_acked(Duration(seconds=3))

    def _advertise(self, topic: BagTopic) -> None:
        kind = message_class(topic.type)
        if kind is None:
            self.get_logger().warning(f"'{topic.name}' is left out: no message package for {topic.type} is installed")
            return
        name = self._name(topic)
        if self._decodes(topic.type):
            kind, name = Image, name.removesuffix(COMPRESSED)
        publisher = self.create_publisher(kind, name, self._profile(topic.name))
        self._publishers_by_topic[topic.name] = publisher
        if topic.type in (IMAGE, COMPRESSED_IMAGE):
            self._images.append(publisher)

    def _name(self, topic: BagTopic) -> str:
        camera = self._config.camera_name.strip("/")
        if not camera or topic.type not in (IMAGE, COMPRESSED_IMAGE, CAMERA_INFO):
            return topic.name
        parts = topic.name.strip("/").split("/")
        tail = parts[-2:] if topic.name.endswith(COMPRESSED) else parts[-1:]
        return "/".join(["", camera, *tail])

    def _decodes(self, kind: str) -> bool:
        return kind == COMPRESSED_IMAGE and self._config.image == "raw"

    def _profile(self, topic: str) -> QoSProfile:
        if topic == "/tf_static":
            return QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        reliable = self._config.reliability == "reliable"
        reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        return QoSProfile(depth=10, reliability=reliability)

    def _wait_for_subscribers(self) -> None:
        """Return once the images have had the same subscribers for `SETTLE` seconds, or the patience is over."""
        watched = self._images or list(self._publishers_by_topic.values())
        deadline = time.monotonic() + self._config.wait
        seen, since = 0, time.monotonic()
        while not self._stop.is_set() and time.monotonic() < deadline:
            count = sum(p.get_subscription_count() for p in self._publishers_by_topic.values())
            if count != seen:
                seen, since = count, time.monotonic()
            enough = count >= self._config.subscribers and any(p.get_subscription_count() for p in watched)
            if enough and time.monotonic() - since > SETTLE:
                return
            self._executor.spin_once(timeout_sec=0.05)
        if self._config.wait and not self._stop.is_set():
            names = ", ".join(publisher.topic_name for publisher in watched)
            self.get_logger().warning(f"nobody subscribed to {names} within {self._config.wait:g} s: playing anyway")

    def _play_once(self) -> bool:
        """Publish every message at its time; returns whether the end was reached."""
        start, first = time.monotonic(), None
        for message in self._bag.messages(list(self._publishers_by_topic)):
            first = message.time_ns if first is None else first
            self._sleep_until(start + (message.time_ns - first) * 1e-9 / self._config.rate)
            if self._stop.is_set():
                return False
            self._publish(message)
        return True

    def _sleep_until(self, due: float) -> None:
        while not self._stop.is_set() and (left := due - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=min(left, 0.1))

    def _publish(self, message: BagMessage) -> None:
        if self._clock_publisher is not None:
            sec, nanosec = divmod(message.time_ns, 10**9)
            self._clock_publisher.publish(Clock(clock=Time(sec=sec, nanosec=nanosec)))
        publisher = self._publishers_by_topic[message.topic]
        publisher.publish(decoded(message) if self._decodes(message.type) else bytes(message.raw))
        self.published[publisher.topic_name] += 1


def decoded(message: BagMessage) -> Image:
    """The bgr8 Image of a recorded CompressedImage, with the same header; raises EncodingError."""
    recorded = message.message.header
    header = Header(frame_id=recorded.frame_id)
    header.stamp.sec, header.stamp.nanosec = int(recorded.stamp.sec), int(recorded.stamp.nanosec)
    rgb = decode_compressed(message.message.data, message.message.format)
    return fill_image(Image(), header, np.ascontiguousarray(rgb[..., ::-1]), "bgr8")


def message_class(kind: str) -> Any:
    """The class of 'package/msg/Type', or None where its package is not installed."""
    package, _, name = kind.partition("/msg/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name, None)
    except ImportError:
        return None


def play(
    bag: BagReader, config: PlayConfig, topics: Sequence[str], stop: threading.Event, report: Callable[[str], None]
) -> None:
    """Play a bag in an initialised rclpy, then report one line per topic; `stop` ends it early.

    Raises:
        BagError: a topic is not in the bag, nothing can be played, or the bag is damaged.
    """
    player = BagPlayer(bag, config, topics, stop)
    start = time.monotonic()
    try:
        player.play()
    finally:
        seconds = time.monotonic() - start
        for name, count in sorted(player.published.items()):
            report(f"published {count} messages on {name} in {seconds:.1f} s")
        player.destroy_node()
