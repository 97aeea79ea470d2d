# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The live path of one frame, message to messages: age, calibration, decode, rectify, network, publish."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
from depth_node.errors import CalibrationError, DepthNodeError, EncodingError, first_line
from depth_node.inference.engine import Engine
from depth_node.ros.live.camera_input import CameraFrame
from depth_node.ros.live.frame_statistics import FrameStatistics
from depth_node.ros.live.info_pairing import calibration_of
from depth_node.ros.live.latest_slot import LatestSlot
from depth_node.ros.live.outputs import DepthOutputs, needs_confidence, needs_labels
from depth_node.ros.live.runtime_scale import RuntimeScale
from depth_node.ros.messages import rgb_of

REASONS: dict[type[Exception], str] = {CalibrationError: "calibration", EncodingError: "encoding"}


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


class FrameWorker:
    """A thread that turns the newest frame into outputs, one after the other; errors cost a frame, never the node.

    Attributes:
        view: what the network saw of the last picture; None before the first.
    """

    def __init__(
        self,
        node: Node,
        estimator: Engine,
        outputs: DepthOutputs,
        statistics: FrameStatistics,
        config: Callable[[], NodeConfig],
        scale: Callable[[], RuntimeScale],
        topic: str,
    ) -> None:
        """Start the thread.

        Args:
            node: for clock and log.
            estimator: the loaded network.
            outputs: where results go.
            statistics: counts frames, drops and times.
            config: gives the configuration of the moment.
            scale: gives what makes metres of network units.
            topic: resolved name of the image topic, tells raw from rectified images.
        """
        self._node, self._estimator, self._outputs = node, estimator, outputs
        self._statistics, self._config, self._scale = statistics, config, scale
        self._camera = CameraModel(should_rectify(config().rectify, topic))
        self.view: NetworkView | None = None
        self._doubted: CameraCalibration | None = None
        self._bits = BitDepth(config().bits)
        self._changing = threading.Lock()
        self._slot: LatestSlot[CameraFrame] = LatestSlot()
        self._thread = threading.Thread(target=self._run, name="depth_frames")
        self._thread.start()

    def submit(self, frame: CameraFrame) -> None:
        """Hand a frame over; the one that still waits is dropped. Never blocks."""
        if self._slot.put(frame):
            self._statistics.add_dropped("replaced by a newer image")

    @contextmanager
    def between_frames(self) -> Iterator[None]:
        """Inside, no frame begins: network and scale change together, for their units belong together."""
        with self._changing:
            yield

    def use(self, estimator: Engine) -> None:
        """Take another network from the next frame on."""
        self._estimator = estimator

    def stop(self) -> None:
        """Finish the frame in work and end the thread."""
        self._slot.close()
        self._thread.join()

    def _run(self) -> None:
        while (frame := self._slot.take()) is not None:
            try:
                self._process(frame)
            except DepthNodeError as error:
                self._give_up(error, str(error))
            except Exception as error:  # out of memory, a context that is shutting down
                if not self._node.context.ok():
                    return
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{last.filename}, line {last.lineno}"
                self._give_up(error, f"frame failed: {type(error).__name__}: {first_line(error)} ({where})")

    def _give_up(self, error: Exception, line: str) -> None:
        """Count a failed frame and log why: one line for everybody, how it came about at debug level."""
        self._statistics.add_dropped(REASONS.get(type(error), "error"))
        self._node.get_logger().error(line, throttle_duration_sec=5.0)
        self._node.get_logger().debug("".join(traceback.format_exception(error)))

    def _process(self, frame: CameraFrame) -> None:
        config = self._config()
        wanted = self._outputs.wanted()
        if not wanted:
            self._statistics.add_dropped("no subscriber")
            return
        if self._is_too_old(frame, config.max_age):
            self._statistics.add_dropped("older than max_age")
            return
        stages = {"wait": time.monotonic() - frame.arrival}
        start = time.perf_counter()
        camera, rectifier = self._camera.of(frame.info)
        if camera is not self._doubted:
            self._doubted = camera
            for doubt in [*camera.doubts, *rectifier.doubts]:
                self._node.get_logger().warning(f"camera_info is hard to believe: {doubt}")
        image = rgb_of(frame.image, self._bits)
        camera.check_image(image.shape[1], image.shape[0])
        stages["decode"] = time.perf_counter() - start
        rectified = rectifier(image)
        stages["rectify"] = time.perf_counter() - start - stages["decode"]
        with self._changing:
            estimator, scale = self._estimator, self._scale()
        base, header = estimator.scale, frame.image.header
        prediction = estimator.estimate(
            rectified,
            rectifier.K,
            config.depth.full_resolution,
            config.depth.sky_infinite,
            with_labels=needs_labels(wanted, config.points) or (scale.measures and estimator.is_guided),
            with_confidence=needs_confidence(wanted, config.points),
        )
        start = time.perf_counter()
        prediction = scale.apply(prediction, header, base, config.scale.smoothing)
        stages["runtime scale"] = time.perf_counter() - start
        self._outputs.publish(wanted, prediction, header, config, translation_at(prediction.K, camera))
        self._outputs.publish_scale(base * prediction.rescaled * prediction.view.focal_ratio)
        if prediction.view != self.view:
            self.view = prediction.view
            self._node.get_logger().info(str(prediction.view))
        stages.update(prediction.timings)
        stages.update(self._outputs.timings)
        self._statistics.add_published(time.monotonic() - frame.arrival, stages)

    def _is_too_old(self, frame: CameraFrame, max_age: float) -> bool:
        if not max_age:
            return False
        clock = self._node.get_clock()
        stamp = Time.from_msg(frame.image.header.stamp, clock_type=clock.clock_type)
        return (clock.now() - stamp).nanoseconds * 1e-9 > max_age
