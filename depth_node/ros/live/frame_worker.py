# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The live path of frames, from messages of all cameras through one network to messages; errors cost a frame."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rclpy.node import Node

from depth_node.errors import CalibrationError, DepthNodeError, EncodingError, first_line
from depth_node.inference.engine import Engine
from depth_node.ros.live.camera_input import CameraFrame
from depth_node.ros.live.camera_stream import CameraStream, ReadyPicture
from depth_node.ros.live.latest_slot import LatestSlots
from depth_node.ros.messages import stamp_ns

REASONS: dict[type[Exception], str] = {CalibrationError: "calibration", EncodingError: "encoding"}
TOGETHER = 0.01
"""Seconds between stamps of pictures that count as taken at once and may be computed as one batch."""


class FrameWorker:
    """A thread that turns the newest frame of every camera into outputs with one network; errors cost a frame.

    Cameras take turns: who sends faster is not served sooner. What was taken at once and waits at once goes through
    the network at once, where the back end takes batches.
    """

    def __init__(self, node: Node, estimator: Engine[Any]) -> None:
        """Start the thread.

        Args:
            node: whose context ends the work.
            estimator: the loaded network.
        """
        self._node, self._estimator = node, estimator
        self._changing = threading.Lock()
        self._slots: LatestSlots[CameraStream, CameraFrame] = LatestSlots()
        self._thread = threading.Thread(target=self._run, name="depth_frames")
        self._thread.start()

    def submit(self, camera: CameraStream, frame: CameraFrame) -> None:
        """Hand a frame over; the camera's one that still waits is dropped. Never blocks."""
        if self._slots.put(camera, frame):
            camera.statistics.add_dropped("replaced by a newer image")

    @contextmanager
    def between_frames(self) -> Iterator[None]:
        """Inside, no frame begins: network and scale change together, for their units belong together."""
        with self._changing:
            yield

    def use(self, estimator: Engine[Any]) -> None:
        """Take another network from the next frame on."""
        self._estimator = estimator

    def stop(self) -> None:
        """Finish the frames in work and end the thread."""
        self._slots.close()
        self._thread.join()

    def _run(self) -> None:
        while frames := self._slots.take(self._belongs):
            ready = []
            for camera, frame in frames:
                with self._giving_up(camera):
                    picture = camera.prepare(frame)
                    ready += [(camera, picture)] if picture is not None else []
            if ready:
                self._estimate(ready)

    def _belongs(self, first: CameraFrame, other: CameraFrame) -> bool:
        """Whether two frames are better computed together."""
        apart = abs(stamp_ns(first.image.header) - stamp_ns(other.image.header))
        return self._estimator.backend.batches and apart <= TOGETHER * 1e9

    def _estimate(self, ready: Sequence[tuple[CameraStream, ReadyPicture]]) -> None:
        """From rectified pictures to published outputs."""
        with self._changing:
            estimator, base = self._estimator, self._estimator.scale
            scales = [camera.scale for camera, _ in ready]
        requests = [
            picture.request(bool(scale and scale.measures) and estimator.is_guided)
            for (_, picture), scale in zip(ready, scales, strict=True)
        ]
        with self._giving_up(*(camera for camera, _ in ready)):
            predictions = estimator.estimate_batch(requests)
            for (camera, picture), prediction, scale in zip(ready, predictions, scales, strict=True):
                assert scale is not None
                with self._giving_up(camera):
                    camera.publish(picture, prediction, scale, base)

    @contextmanager
    def _giving_up(self, *cameras: CameraStream) -> Iterator[None]:
        """Inside, an error costs these cameras a frame: counted, one line for everybody, all of it at debug level."""
        try:
            yield
        except Exception as error:  # ours; out of memory; a context that is shutting down
            if not self._node.context.ok():
                return
            line = str(error)
            if not isinstance(error, DepthNodeError):
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{last.filename}, line {last.lineno}"
                line = f"frame failed: {type(error).__name__}: {first_line(error)} ({where})"
            for camera in cameras:
                camera.statistics.add_dropped(REASONS.get(type(error), "error"))
                camera.log.error(line, throttle_duration_sec=5.0)
                camera.log.debug("".join(traceback.format_exception(error)))
