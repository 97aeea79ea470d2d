# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The live node's publishers: each output is made only while somebody listens to it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Set
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import Float32, Header, String

from depth_node.config.classes import ClassMap
from depth_node.config.live import NodeConfig, PointSettings
from depth_node.drawing.colorize import color_labels, colorize_depth
from depth_node.inference.pointcloud import CloudLayout, drop_missing
from depth_node.inference.prediction import Prediction
from depth_node.ros.live.camera_name import topic_of
from depth_node.ros.live.label_info import label_info
from depth_node.ros.live.topic_list import (
    CLASSES,
    COLOR,
    CONFIDENCE,
    DEPTH,
    INFO,
    LABEL_INFO,
    LABELS,
    LABELS_COLOR,
    LATCHED_TOPICS,
    MASK,
    POINTS,
    RGB,
    RGB_INFO,
    SCALE,
    SEMANTIC_TOPICS,
    TOPICS,
)
from depth_node.ros.messages import fill_cloud, fill_image, pinhole_info
from depth_node.ros.qos import incompatible_subscribers, overridable

LABEL_ENCODING = "8UC1"
"""Class numbers are no brightness, which mono8 would say they are (the rationale of REP 118, for depth)."""


class DepthOutputs:
    """Publishers of one camera. Messages are kept and filled again, so that a frame costs one memcpy per output.

    Attributes:
        timings: seconds per output of the last frame.
    """

    def __init__(self, node: Node, classes: ClassMap | None = None, camera: str = "") -> None:
        """Advertise every topic.

        Args:
            node: owner of the publishers.
            classes: what labels stand for; None without a semantic network.
            camera: name of one of several cameras, which its topics begin with.
        """
        self._node, self._classes = node, classes
        topics = TOPICS if classes is None else TOPICS | SEMANTIC_TOPICS
        self._publishers: dict[str, Publisher[Any]] = {
            topic: node.create_publisher(
                about.kind, topic_of(camera, topic), about.profile(), qos_overriding_options=overridable()
            )
            for topic, about in topics.items()
        }
        self._messages: dict[str, Any] = {topic: about.kind() for topic, about in topics.items()}
        self._latched = [] if classes is None else self._publish_classes(classes, camera)
        self._packer: CloudLayout[Any] | None = None
        self._packed: tuple[object, ...] = ()
        self._warned: set[tuple[str, str]] = set()
        self.timings: dict[str, float] = {}

    def close(self) -> None:
        """Stop advertising."""
        for publisher in (*self._publishers.values(), *self._latched):
            self._node.destroy_publisher(publisher)

    def wanted(self) -> Set[str]:
        """The topics of frames that somebody listens to now."""
        return {topic for topic, publisher in self._publishers.items() if publisher.get_subscription_count()}

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

    def publish(
        self,
        wanted: Set[str],
        prediction: Prediction[Any],
        header: Header,
        config: NodeConfig,
        translation: NDArray[Any],
    ) -> None:
        """Publish what is wanted of one frame.

        Args:
            wanted: what `wanted` said before the prediction was made.
            prediction: depth in metres, with labels where `needs_labels` said so.
            header: stamp and frame of the camera's image, passed on as it is.
            config: encoding, ranges and cloud settings.
            translation: (3,) fourth column of P for the published size, pixels times metres.
        """
        self.timings = {}
        arrays = self._on_host(wanted, prediction, config)
        if DEPTH in wanted:
            with self._timed("image_rect"):
                is_float = config.depth.encoding == "32FC1"
                depth = arrays["depth"] if is_float else millimetres(arrays["depth"])
                self._send_image(DEPTH, header, depth, config.depth.encoding)
        if COLOR in wanted:
            with self._timed("image_color"):
                self._send_image(COLOR, header, colorize_depth(arrays["depth"]), "rgb8")
        if "rgb" in arrays:
            with self._timed("rgb image"):
                self._send_image(RGB, header, arrays["rgb"], "rgb8")
        if "labels" in arrays:
            with self._timed("semantic images"):
                self._send_labels(wanted, header, arrays["labels"], config.points.stride)
        if "confidence" in arrays:
            with self._timed("confidence image"):
                self._send_image(CONFIDENCE, header, arrays["confidence"], "mono8")
        if "cloud" in arrays:
            with self._timed("points"):
                self._send_cloud(header, arrays["cloud"], config.points.organized)
        # Last: in shared memory a large message takes the room of small ones in front of it that are still unread,
        # and those then wait for a heartbeat, seconds later.
        for topic in (INFO, RGB_INFO):
            if topic in wanted:
                size = (prediction.width, prediction.height)
                self._publishers[topic].publish(pinhole_info(header, prediction.K, *size, translation))

    def publish_scale(self, scale: float) -> None:
        """Publish the scale in use, metres per network unit."""
        if self._publishers[SCALE].get_subscription_count():
            self._publishers[SCALE].publish(Float32(data=scale))

    def _on_host(self, wanted: Set[str], prediction: Prediction[Any], config: NodeConfig) -> dict[str, NDArray[Any]]:
        """Ranged depth, labels and the filled cloud, each where it is wanted, in one copy from the device."""
        depth = prediction.ranged(config.depth.min, config.depth.max)
        arrays: dict[str, Any] = {}
        if not wanted.isdisjoint((DEPTH, COLOR)):
            arrays["depth"] = depth
        if prediction.labels is not None and not wanted.isdisjoint(SEMANTIC_TOPICS):
            arrays["labels"] = prediction.labels
        if RGB in wanted:
            arrays["rgb"] = prediction.image
        if prediction.confidence is not None and CONFIDENCE in wanted:
            arrays["confidence"] = prediction.confidence
        if POINTS in wanted:
            with self._timed("cloud"):
                arrays["cloud"] = self._fill_cloud(prediction, depth, config.points)
        with self._timed("download"):
            return prediction.to_host(arrays)

    def _fill_cloud(self, prediction: Prediction[Any], depth: Any, points: PointSettings) -> Any:
        """The points' bytes, where the prediction lies."""
        labels = prediction.labels if points.labels else None
        layout = (labels is not None, points.stride, points.confidence)
        kind = (type(prediction), getattr(depth, "device", None), *layout)
        packer = self._packer
        if (
            packer is None
            or not packer.matches(prediction.height, prediction.width, prediction.K)
            or kind != self._packed
        ):
            self._packer = packer = prediction.cloud_packer(*layout)
            self._packed = kind
        ranges, confidence = (points.min_range, points.max_range), prediction.confidence
        least, clear = points.min_confidence, points.clear_range
        return packer.fill(depth, prediction.image, labels, *ranges, confidence, least, clear)

    def _send_cloud(self, header: Header, filled: NDArray[np.float32], organized: bool) -> None:
        """As a (h, w) cloud, or as (1, n) where only existing points are wanted."""
        assert self._packer is not None
        cloud = self._packer.points(filled)
        cloud = cloud if organized else drop_missing(cloud)[None]
        self._publishers[POINTS].publish(fill_cloud(self._messages[POINTS], header, cloud, not organized))

    def _publish_classes(self, classes: ClassMap, camera: str) -> list[Publisher[Any]]:
        """Say once what labels stand for; the publishers that keep it."""
        messages: dict[str, Any] = {CLASSES: String(data=json.dumps(classes.record()))}
        if not isinstance(LATCHED_TOPICS[LABEL_INFO].kind, str):
            header = Header(stamp=self._node.get_clock().now().to_msg())
            messages[LABEL_INFO] = label_info(classes, header)
        made = []
        for topic, message in messages.items():
            name, profile = topic_of(camera, topic), LATCHED_TOPICS[topic].profile()
            made.append(self._node.create_publisher(type(message), name, profile))
            made[-1].publish(message)
        return made

    def _send_labels(self, wanted: Set[str], header: Header, labels: NDArray[np.uint8], stride: int) -> None:
        assert self._classes is not None
        if LABELS in wanted:
            self._send_image(LABELS, header, labels, LABEL_ENCODING)
        if LABELS_COLOR in wanted:
            self._send_image(LABELS_COLOR, header, color_labels(labels, self._classes), "rgb8")
        if MASK in wanted:
            # A pixel for each point of the cloud; mono8, as Nav2's semantic layer reads nothing else.
            self._send_image(MASK, header, labels[::stride, ::stride], "mono8")

    def _send_image(self, topic: str, header: Header, pixels: NDArray[Any], encoding: str) -> None:
        self._publishers[topic].publish(fill_image(self._messages[topic], header, pixels, encoding))

    @contextmanager
    def _timed(self, output: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.timings[output] = perf_counter() - start


def needs_labels(wanted: Set[str], points: PointSettings) -> bool:
    """Whether topics that somebody listens to show semantic classes."""
    return not wanted.isdisjoint(SEMANTIC_TOPICS) or (POINTS in wanted and points.labels)


def needs_confidence(wanted: Set[str], points: PointSettings) -> bool:
    """Whether topics that somebody listens to show, or depend on, how sure depth is."""
    return CONFIDENCE in wanted or (POINTS in wanted and (points.confidence or points.min_confidence > 0))


def millimetres(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(H, W) metres to the 16UC1 of REP-118: millimetres, 0 where invalid, out of range or beyond 65.535 m."""
    scaled = np.rint(depth * np.float32(1000.0))
    return np.where((scaled > 0) & (scaled <= 65535), scaled, 0).astype(np.uint16)
