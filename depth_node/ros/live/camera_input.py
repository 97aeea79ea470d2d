# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The camera as the node sees it: image and camera_info subscriptions, paired."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depth_node.bags.message_types import COMPRESSED
from depth_node.ros.live.frame_statistics import FrameStatistics
from depth_node.ros.live.info_pairing import InfoPairing
from depth_node.ros.qos import MatchedSubscription

POLL_PERIOD = 0.1
"""Seconds between looks at the graph; one look takes well under a millisecond."""


@dataclass(frozen=True)
class CameraFrame:
    """One image message with its camera_info.

    Attributes:
        image: sensor_msgs Image or CompressedImage.
        info: sensor_msgs CameraInfo.
        arrival: monotonic time of the image's callback, seconds.
    """

    image: Image | CompressedImage
    info: CameraInfo
    arrival: float


class CameraInput:
    """Subscribes, follows the publishers' quality of service and delivers paired frames.

    All of it happens in the executor's thread.
    """

    def __init__(
        self, node: Node, transport: str, deliver: Callable[[CameraFrame], None], statistics: FrameStatistics
    ) -> None:
        """Subscribe.

        Args:
            node: owner of the subscriptions.
            transport: 'raw' or 'compressed'.
            deliver: receives each paired frame.
            statistics: counts what arrives and what stays alone.
        """
        self._node, self._deliver, self._statistics = node, deliver, statistics
        self._pairing = InfoPairing(self._on_pair, self._on_alone)
        topic = image_topic(node, transport)
        kind = CompressedImage if transport == "compressed" else Image
        self.image = MatchedSubscription(node, kind, topic, self._on_image)
        self.info = MatchedSubscription(
            node, CameraInfo, node.resolve_topic_name("camera_info"), self._pairing.add_info, may_latch=True
        )
        # Steady: must go on when simulated time stands still.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(POLL_PERIOD, self._poll, clock=clock)

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_timer(self._timer)
        self.image.close()
        self.info.close()

    def _poll(self) -> None:
        self.image.poll()
        self.info.poll()
        self._pairing.expire(time.monotonic())

    def _on_image(self, image: Any) -> None:
        self._statistics.add_received()
        self._pairing.add_image(image, time.monotonic())

    def _on_pair(self, image: Any, info: Any, arrival: float) -> None:
        self._deliver(CameraFrame(image, info, arrival))

    def _on_alone(self, reason: str) -> None:
        self._statistics.add_dropped(reason)
        publishers = ", ".join(self.info.publishers) or "none"
        self._node.get_logger().warning(
            f"image without a camera_info of its stamp on '{self.info.topic}' (publishers: {publishers}): "
            "remap camera_info to the topic that belongs to the image",
            throttle_duration_sec=5.0,
        )


def image_topic(node: Node, transport: str) -> str:
    """Full name of the image topic; a remapped `image` takes its compressed sibling along, as in image_transport."""
    base = node.resolve_topic_name("image")
    if transport == "raw":
        return base
    direct = node.resolve_topic_name("image" + COMPRESSED)
    unmapped = node.resolve_topic_name("image" + COMPRESSED, only_expand=True)
    return direct if direct != unmapped else base.removesuffix(COMPRESSED) + COMPRESSED
