# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One camera of the live node, from its subscription to its outputs, and all that belongs to it alone."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.time import Time

from depth_node.camera.bit_depth import BitDepth
from depth_node.camera.calibration import CameraCalibration
from depth_node.camera.network_view import NetworkView
from depth_node.camera.rectification import Rectifier, should_rectify
from depth_node.config.live import NodeConfig
from depth_node.inference.engine import Engine, EstimateRequest
from depth_node.inference.prediction import Prediction
from depth_node.ros.diagnostics import frame_values
from depth_node.ros.live.camera_input import CameraFrame, CameraInput, image_topic
from depth_node.ros.live.camera_name import log_of
from depth_node.ros.live.frame_statistics import FrameStatistics
from depth_node.ros.live.info_pairing import calibration_of
from depth_node.ros.live.outputs import DepthOutputs, needs_confidence, needs_labels
from depth_node.ros.live.runtime_scale import RuntimeScale
from depth_node.ros.live.status import fallback_scale, is_unscaled, view_values
from depth_node.ros.messages import rgb_of

DISABLED = "disabled: nothing is made until ~/enable is called with true, or the parameter enabled is true"


class CameraModel:
    """Calibration and rectification of the camera in use; computed again only when camera_info changes."""

    def __init__(self, rectify: bool) -> None:
        """Take whether images are raw and are to be rectified."""
        self._rectify = rectify
        self._key: tuple[Any, ...] = ()
        self._made: tuple[CameraCalibration, Rectifier] | None = None

    def of(self, info: Any) -> tuple[CameraCalibration, Rectifier]:
        """What a CameraInfo describes; raises CalibrationError."""
        key = calibration_of(info)
        if key != self._key or self._made is None:
            self._key, before, self._made = key, self._made, None
            calibration = CameraCalibration.from_camera_info(info)
            if before is not None and calibration.is_close(before[0]):  # maps take longer than the network
                self._made = before
            else:
                self._made = calibration, Rectifier(calibration, enabled=self._rectify)
        return self._made


def translation_at(K: NDArray[np.float64], camera: CameraCalibration) -> NDArray[np.float64]:
    """(3,) fourth column of P for an image resized to intrinsics `K`; not 0 behind a stereo pair's first camera."""
    if not camera.has_projection:
        return np.zeros(3)
    P = camera.P
    return np.asarray(P[:, 3] * [K[0, 0] / P[0, 0], K[1, 1] / P[1, 1], 1.0], np.float64)


def sources_of(config: NodeConfig) -> tuple[object, ...]:
    """What a change of makes other sources of scale."""
    return config.scale.source, config.scale.camera_height, config.scale.ground_frame


@dataclass(frozen=True)
class ReadyPicture:
    """A rectified picture and what is wanted of it.

    Attributes:
        frame: the messages it came from.
        image: (H, W, 3) uint8 RGB, rectified.
        K: (3, 3) its intrinsics, pixels.
        camera: calibration of the picture before it was rectified.
        config: of the moment at which its turn came.
        wanted: outputs that somebody listened to at that moment.
        stages: seconds per stage so far.
    """

    frame: CameraFrame
    image: NDArray[np.uint8]
    K: NDArray[np.float64]
    camera: CameraCalibration
    config: NodeConfig
    wanted: Set[str]
    stages: Mapping[str, float]

    def request(self, needs_classes: bool) -> EstimateRequest:
        """What the engine is to make of it; `needs_classes` where the scale looks at them."""
        return EstimateRequest(
            self.image,
            self.K,
            self.config.depth.full_resolution,
            self.config.depth.sky_infinite,
            with_labels=needs_labels(self.wanted, self.config.points) or needs_classes,
            with_confidence=needs_confidence(self.wanted, self.config.points),
        )


class CameraStream:
    """What one camera has of its own: topics, calibration, scale, counters. The network is everybody's.

    `prepare` and `publish` run in the worker's thread, all else in the executor's.

    Attributes:
        name: which of several cameras; empty where there is one only.
        config: of the moment, with what is set for this camera alone.
        log: the node's, or its child of that name.
        outputs: where depth goes.
        statistics: counts frames, drops and times.
        input: its subscriptions; None while inactive.
        scale: what makes metres of network units; None while inactive.
        view: what the network saw of its last picture; None before the first.
    """

    def __init__(self, node: Node, name: str, estimator: Engine[Any], config: NodeConfig) -> None:
        """Advertise.

        Args:
            node: owner of publishers and subscriptions.
            name: which of several cameras; empty where there is one only.
            estimator: the loaded network.
            config: the camera's configuration.
        """
        self._node, self.name, self.log, self.config = node, name, log_of(node, name), config
        self.outputs = DepthOutputs(node, estimator.classes, name)
        self.statistics = FrameStatistics()
        self.input: CameraInput | None = None
        self.scale: RuntimeScale | None = None
        self.view: NetworkView | None = None
        self._doubted: CameraCalibration | None = None
        self._ignored_until = -math.inf

    def activate(self, estimator: Engine[Any], submit: Callable[[CameraStream, CameraFrame], None]) -> None:
        """Subscribe; each frame goes to `submit`."""
        config = self.config
        topic = image_topic(self._node, config.image_transport, self.name)
        self._camera = CameraModel(should_rectify(config.rectify, topic))
        self._bits = BitDepth(config.bits)
        self.view = self._doubted = None
        self.scale = self.new_scale(estimator)
        self.input = CameraInput(
            self._node,
            config.image_transport,
            lambda frame: submit(self, frame),
            self.statistics,
            self.outputs.wanted,
            self.name,
        )
        self.log.info(f"active: images from '{topic}', calibration from '{self.input.info.topic}'")

    def pause(self) -> None:
        """Unsubscribe from the camera: no frame comes after this."""
        if self.input is not None:
            self.input.close()
        self.input = None

    def deactivate(self) -> None:
        """Let go of what the worker, which has ended, used."""
        self.pause()
        if self.scale is not None:
            self.scale.stop()
        self.scale = None

    def new_scale(self, estimator: Engine[Any]) -> RuntimeScale:
        """Metres at run time, from the sources that are configured now."""
        config = self.config
        self._sources, fallback = sources_of(config), fallback_scale(config, estimator)
        return RuntimeScale(self._node, config.scale, fallback, estimator.classes, self.outputs.wanted, self.name)

    def configure(self, config: NodeConfig, estimator: Engine[Any]) -> None:
        """Take over a changed configuration; the worker reads it with its next frame."""
        before, self.config = self.config, config
        if config.enabled != before.enabled:
            self.log.info("enabled" if config.enabled else self._disabled)
            # What has arrived until now is not what somebody wants who asks for depth again.
            self._ignored_until = time.monotonic()
        if self.scale is None:
            return
        self.scale.set_fallback(*fallback_scale(config, estimator))
        if sources_of(config) != self._sources:
            old, self.scale = self.scale, self.new_scale(estimator)
            old.stop()

    def prepare(self, frame: CameraFrame) -> ReadyPicture | None:
        """Decode and rectify a frame; None where nobody wants it, which is counted.

        Raises:
            CalibrationError: its camera_info is not a camera's, or another one's.
            EncodingError: its pixels cannot be read.
        """
        config, wanted = self.config, self.outputs.wanted()
        if not config.enabled or frame.arrival < self._ignored_until:
            self.statistics.add_dropped("disabled")
            return None
        if not wanted:
            self.statistics.add_dropped("no subscriber")
            return None
        if self._is_too_old(frame, config.max_age):
            self.statistics.add_dropped("older than max_age")
            return None
        wait, start = time.monotonic() - frame.arrival, time.perf_counter()
        camera, rectifier = self._camera.of(frame.info)
        if camera is not self._doubted:
            self._doubted = camera
            for doubt in [*camera.doubts, *rectifier.doubts]:
                self.log.warning(f"camera_info is hard to believe: {doubt}")
        image = rgb_of(frame.image, self._bits)
        camera.check_image(image.shape[1], image.shape[0])
        decoded = time.perf_counter()
        rectified = rectifier(image)
        stages = {"wait": wait, "decode": decoded - start, "rectify": time.perf_counter() - decoded}
        return ReadyPicture(frame, rectified, rectifier.K, camera, config, wanted, stages)

    def publish(self, picture: ReadyPicture, prediction: Prediction[Any], scale: RuntimeScale, base: float) -> None:
        """Bring a prediction to metres and send it.

        Args:
            picture: what it is of.
            prediction: made with the scale `base`.
            scale: this camera's, of the same network as the prediction.
            base: metres per network unit.
        """
        header, start = picture.frame.image.header, time.perf_counter()
        prediction = scale.apply(prediction, header, base, picture.config.scale.smoothing)
        scaled = time.perf_counter() - start
        if not self.config.enabled:  # since this frame was begun
            self.statistics.add_dropped("disabled")
            return
        translation = translation_at(prediction.K, picture.camera)
        self.outputs.publish(picture.wanted, prediction, header, picture.config, translation)
        self.outputs.publish_scale(base * prediction.rescaled * prediction.view.focal_ratio)
        if prediction.view != self.view:
            self.view = prediction.view
            self.log.info(str(prediction.view))
        stages = {**picture.stages, "runtime scale": scaled, **prediction.timings, **self.outputs.timings}
        self.statistics.add_published(time.monotonic() - picture.frame.arrival, stages)

    def values(self) -> dict[str, Any]:
        """Diagnostic values."""
        values = frame_values(self.statistics.snapshot())
        if self.input is None:
            return values
        values |= view_values(self.view) if self.view is not None else {}
        values |= self.scale.values() if self.scale is not None else {}
        return values | {"image publishers": ", ".join(self.input.image.publishers) or "none"}

    def state(self, estimator: Engine[Any], problem: str = "") -> tuple[str, str]:
        """Level and message for /diagnostics; `problem` is one of the whole node."""
        if self.input is None or not self.config.enabled:
            return "ok", self._disabled if self.input is not None else "inactive"
        image, snapshot = self.input.image, self.statistics.snapshot()
        if not image.is_open:
            if image.publishers:
                return "ok", "idle, nobody subscribes"
            return "warn", f"idle, nobody subscribes, and nobody publishes '{image.topic}'"
        if not snapshot.received or snapshot.is_silent:
            since = f"for {snapshot.age:.1f} s" if snapshot.received else "yet"
            return "warn", f"no image on '{image.topic}' {since}"
        if not snapshot.rate:
            return "warn", "images arrive but lead to no depth, see the drops"
        problem = problem or self.scale_problem(estimator)
        return ("warn", f"running, but {problem}") if problem else ("ok", "running")

    @property
    def _disabled(self) -> str:
        """What it waits for while it makes nothing."""
        return f"{DISABLED}, and so is {self.name}.enabled where it was given" if self.name else DISABLED

    def scale_problem(self, estimator: Engine[Any]) -> str:
        """Why metres are not to be trusted; empty where they are."""
        if self.scale is not None and self.scale.problem:
            return self.scale.problem
        if is_unscaled(self.config, estimator) and not (self.scale and self.scale.state.is_measured):
            return "depth is in network units: nothing says how long one is, see scale.source"
        return ""

    def _is_too_old(self, frame: CameraFrame, max_age: float) -> bool:
        if not max_age:
            return False
        clock = self._node.get_clock()
        stamp = Time.from_msg(frame.image.header.stamp, clock_type=clock.clock_type)
        return (clock.now() - stamp).nanoseconds * 1e-9 > max_age
