"""The live node's publishers: each output is made only while somebody listens to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.publisher import Publisher
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Float32, Header

from depth_node.config.live import NodeConfig, PointSettings
from depth_node.inference.colorize import colorize_depth
from depth_node.inference.pointcloud import CloudPacker, drop_missing
from depth_node.inference.prediction import Prediction
from depth_node.inference.range_semantics import apply_range
from depth_node.ros.messages import fill_cloud, fill_image, pinhole_info
from depth_node.ros.qos import incompatible_subscribers, output_profile, overridable

DEPTH, INFO, POINTS = "depth/image_rect", "depth/camera_info", "depth/points"
COLOR, SCALE = "depth/image_color", "depth/scale"
TOPICS: dict[str, type] = {DEPTH: Image, INFO: CameraInfo, POINTS: PointCloud2, COLOR: Image, SCALE: Float32}


class DepthOutputs:
    """Publishers of one node. Messages are kept and filled again, so that a frame costs one memcpy per output.

    Attributes:
        timings: seconds per output of the last frame.
    """

    def __init__(self, node: Node) -> None:
        """Advertise every topic."""
        self._node = node
        self._publishers: dict[str, Publisher] = {
            topic: node.create_publisher(
                kind, topic, output_profile(kind in (CameraInfo, Float32)), qos_overriding_options=overridable()
            )
            for topic, kind in TOPICS.items()
        }
        self._depth, self._color, self._points = Image(), Image(), PointCloud2()
        self._packer: CloudPacker | None = None
        self._stride = 0
        self._warned: set[tuple[str, str]] = set()
        self.timings: dict[str, float] = {}

    def close(self) -> None:
        """Stop advertising."""
        for publisher in self._publishers.values():
            self._node.destroy_publisher(publisher)

    def wants(self, *topics: str) -> bool:
        """Whether anybody listens to one of `topics` (without any: to one at all)."""
        return any(self._publishers[topic].get_subscription_count() for topic in topics or self._publishers)

    def warn_incompatible(self) -> None:
        """Say once for each subscriber that it asks for more than an output offers, and who it is."""
        for topic, publisher in self._publishers.items():
            for name, reason in incompatible_subscribers(self._node, publisher.topic_name):
                if (topic, name) not in self._warned:
                    self._warned.add((topic, name))
                    self._node.get_logger().warning(
                        f"'{name}' will get nothing from '{publisher.topic_name}': its quality of service asks for "
                        f"more than is offered ({reason}); change it there, or by qos_overrides here"
                    )

    def publish(self, prediction: Prediction, header: Header, config: NodeConfig, translation: NDArray[Any]) -> None:
        """Publish everything that is listened to.

        Args:
            prediction: depth in metres.
            header: stamp and frame of the camera's image, passed on as it is.
            config: encoding, ranges and cloud settings.
            translation: (3,) fourth column of P for the published size, pixels times metres.
        """
        self.timings = {}
        depth = apply_range(prediction.depth, prediction.valid, config.depth.min, config.depth.max)
        if self.wants(DEPTH, COLOR):
            self._publish_images(depth.cpu().numpy(), header, config.depth.encoding)
        if self.wants(POINTS):
            with self._timed("points"):
                cloud = self._cloud(prediction, depth, config.points)
                self._publishers[POINTS].publish(fill_cloud(self._points, header, cloud, not config.points.organized))
        # Last: in shared memory a large message takes the room of small ones in front of it that are still unread,
        # and those then wait for a heartbeat, seconds later.
        if self.wants(INFO):
            size = (prediction.width, prediction.height)
            self._publishers[INFO].publish(pinhole_info(header, prediction.K, *size, translation))

    def publish_scale(self, scale: float) -> None:
        """Publish the scale in use, metres per network unit."""
        if self.wants(SCALE):
            self._publishers[SCALE].publish(Float32(data=scale))

    def _publish_images(self, depth: NDArray[np.float32], header: Header, encoding: str) -> None:
        if self.wants(DEPTH):
            with self._timed("image_rect"):
                pixels = depth if encoding == "32FC1" else millimetres(depth)
                self._publishers[DEPTH].publish(fill_image(self._depth, header, pixels, encoding))
        if self.wants(COLOR):
            with self._timed("image_color"):
                self._publishers[COLOR].publish(fill_image(self._color, header, colorize_depth(depth), "rgb8"))

    def _cloud(self, prediction: Prediction, depth: torch.Tensor, points: PointSettings) -> NDArray[np.void]:
        """(h, w) cloud, or (1, n) where only existing points are wanted."""
        size = (prediction.height, prediction.width)
        packer = self._packer
        if packer is None or not packer.matches(*size, prediction.K) or self._stride != points.stride:
            packer = CloudPacker(*size, prediction.K, stride=points.stride, device=depth.device)
            self._packer, self._stride = packer, points.stride
        cloud = packer.pack(depth, prediction.image, min_range=points.min_range, max_range=points.max_range)
        return cloud if points.organized else drop_missing(cloud)[None]

    @contextmanager
    def _timed(self, output: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.timings[output] = perf_counter() - start


def millimetres(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(H, W) metres to the 16UC1 of REP-118: millimetres, 0 where invalid, out of range or beyond 65.535 m."""
    scaled = np.rint(depth * np.float32(1000.0))
    return np.where((scaled > 0) & (scaled <= 65535), scaled, 0).astype(np.uint16)
