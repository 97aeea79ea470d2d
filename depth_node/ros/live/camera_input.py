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
from rclpy.utilities import get_rmw_implementation_identifier
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from depth_node.bags.message_types import COMPRESSED, camera_info_beside
from depth_node.ros.live.camera_name import log_of, topic_of
from depth_node.ros.live.frame_statistics import FrameStatistics
from depth_node.ros.live.info_pairing import InfoPairing
from depth_node.ros.qos import MatchedSubscription
from depth_node.ros.surroundings import PROFILE

POLL_PERIOD = 0.1
"""Seconds between looks at the graph; one look takes well under a millisecond."""
IDLE_SECONDS = 2.0
"""How long images are taken on when nobody wants them any more: who comes back soon finds the camera as it was."""
SAFE_BYTES = 512 * 1024
"""What Fast DDS's shared memory holds by default: of larger messages sent best effort most are lost (measured)."""


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
        self,
        node: Node,
        transport: str,
        deliver: Callable[[CameraFrame], None],
        statistics: FrameStatistics,
        is_wanted: Callable[[], object] = lambda: True,
        camera: str = "",
    ) -> None:
        """Subscribe.

        Args:
            node: owner of the subscriptions.
            transport: 'raw', 'compressed' or 'auto', which takes raw images until only compressed ones are there.
            deliver: receives each paired frame.
            statistics: counts what arrives and what stays alone.
            is_wanted: tells whether anybody wants what becomes of images; while nobody does, none are taken: receiving
                those of a fast camera costs a fifth of a core.
            camera: name of one of several cameras.
        """
        self._node, self._deliver, self._statistics = node, deliver, statistics
        self._camera, self._log = camera, log_of(node, camera)
        self._is_wanted, self._last_wanted = is_wanted, time.monotonic()
        self._pairing = InfoPairing(self._on_pair, self._on_alone)
        self._said: set[str] = set()
        self._is_open = transport == "auto"
        self._may_lose = "fastrtps" in get_rmw_implementation_identifier()
        self.image = self._subscribe("raw" if self._is_open else transport)
        self.info = MatchedSubscription(
            node, CameraInfo, info_topic(node, camera), self._pairing.add_info, may_latch=True
        )
        # Steady: must go on when simulated time stands still.
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(POLL_PERIOD, self._poll, clock=clock)

    def close(self) -> None:
        """Unsubscribe."""
        self._node.destroy_timer(self._timer)
        self.image.close()
        self.info.close()

    def _subscribe(self, transport: str) -> MatchedSubscription:
        kind = CompressedImage if transport == "compressed" else Image
        return MatchedSubscription(self._node, kind, image_topic(self._node, transport, self._camera), self._on_image)

    def _choose_transport(self) -> None:
        """Take compressed images once and for all where the camera has no others."""
        if not self._is_open or self.image.publishers:
            return
        topic = image_topic(self._node, "compressed", self._camera)
        if self._node.get_publishers_info_by_topic(topic):
            self._is_open = False
            self.image.close()
            self.image = self._subscribe("compressed")
            self._log.info(f"nobody publishes raw images: taking compressed ones from '{topic}'")

    def _poll(self) -> None:
        now = time.monotonic()
        self._last_wanted = now if self._is_wanted() else self._last_wanted
        self._choose_transport()
        self.image.poll(now - self._last_wanted < IDLE_SECONDS)
        self.info.poll()
        self._pairing.expire(time.monotonic())

    def _on_image(self, image: Any) -> None:
        self._statistics.add_received()
        if len(image.data) > SAFE_BYTES and self._may_lose and self.image.reliability == "best effort":
            self._say(
                "large",
                f"images of {len(image.data) / 1e6:.1f} MB come best effort from '{', '.join(self.image.publishers)}': "
                f"Fast DDS's shared memory holds {SAFE_BYTES / 1e6:.1f} MB as it comes, so that most of them get lost "
                f"on the way unless the camera has a profile with more: give it {PROFILE}, or let it publish reliably",
            )
        self._pairing.add_image(image, time.monotonic())

    def _say(self, trouble: str, line: str) -> None:
        """Warn once of each trouble."""
        if trouble not in self._said:
            self._said.add(trouble)
            self._log.warning(line)

    def _on_pair(self, image: Any, info: Any, arrival: float) -> None:
        ours, theirs = image.header.frame_id, info.header.frame_id
        if not ours:
            image.header.frame_id = theirs
            if not theirs:
                self._say(
                    "no frame", "neither image nor camera_info names its frame: depth and clouds will have no frame_id"
                )
        elif theirs and ours != theirs:
            line = f"the image is in frame '{ours}', its camera_info in '{theirs}': depth goes out in '{ours}'"
            self._say("two frames", line)
        self._deliver(CameraFrame(image, info, arrival))

    def _on_alone(self, reason: str) -> None:
        self._statistics.add_dropped(reason)
        publishers = ", ".join(self.info.publishers) or "none"
        self._log.warning(
            f"image without a camera_info of its stamp on '{self.info.topic}' (publishers: {publishers}): "
            "remap camera_info to the topic that belongs to the image",
            throttle_duration_sec=5.0,
        )


def info_topic(node: Node, camera: str = "") -> str:
    """Full name of the camera_info topic: as remapped, else beside the image, as in image_transport."""
    name = topic_of(camera, "camera_info")
    remapped = node.resolve_topic_name(name)
    if remapped != node.resolve_topic_name(name, only_expand=True):
        return remapped
    return camera_info_beside(image_topic(node, "raw", camera))


def image_topic(node: Node, transport: str, camera: str = "") -> str:
    """Full name of the image topic; a remapped `image` takes its compressed sibling along, as in image_transport."""
    name = topic_of(camera, "image")
    base = node.resolve_topic_name(name)
    if transport != "compressed":
        return base
    direct = node.resolve_topic_name(name + COMPRESSED)
    unmapped = node.resolve_topic_name(name + COMPRESSED, only_expand=True)
    return direct if direct != unmapped else base.removesuffix(COMPRESSED) + COMPRESSED
