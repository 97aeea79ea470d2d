# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metres at run time: gives every prediction its scale, measures in a thread of its own, says what it relies on."""

from __future__ import annotations

import math
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from rclpy.node import Node
from std_msgs.msg import Header

from depth_node.config.classes import ClassMap
from depth_node.config.live import ScaleSettings
from depth_node.errors import first_line
from depth_node.inference.prediction import Prediction
from depth_node.ros.live.camera_name import log_of
from depth_node.ros.live.latest_slot import LatestSlot
from depth_node.ros.live.scale_inputs import ScaleInputs
from depth_node.ros.messages import stamp_ns
from depth_node.scale.depth_frame import DepthFrame
from depth_node.scale.flicker import FlickerFilter
from depth_node.scale.scale_estimator import ScaleEstimator
from depth_node.scale.scale_filter import ScaleState
from depth_node.scale.sources import SILENT

Frame = TypeVar("Frame", bound=Prediction[Any])

REPEAT = 30.0
"""Seconds before the same source's trouble is said again."""
PATIENCE = 3.0
"""Seconds before what is missing is said: sensors and transforms come one after the other."""
HELD = 10.0
"""Seconds of silence of every source that deserve a warning."""


class RuntimeScale:
    """The scale of one camera of an active node.

    Attributes:
        state: the scale in use and where it comes from.
    """

    def __init__(
        self,
        node: Node,
        settings: ScaleSettings,
        fallback: tuple[float, str],
        classes: ClassMap | None,
        is_wanted: Callable[[], object] = lambda: True,
        camera: str = "",
    ) -> None:
        """Subscribe and start the thread.

        Args:
            node: for subscriptions and log.
            settings: which sources.
            fallback: scale until something is measured, and where that comes from.
            classes: what labels stand for; None without a semantic network.
            is_wanted: tells whether anybody wants depth.
            camera: name of one of several cameras, for the log.

        Raises:
            CalibrationError: the file of extrinsics cannot be read.
        """
        self._node, self._settings, self._classes = node, settings, classes
        self._log = log_of(node, camera)
        self._inputs = ScaleInputs(node, settings, lambda: self._estimator.scale, is_wanted)
        self._estimator = ScaleEstimator(self._inputs.sources, *fallback)
        self._flicker = FlickerFilter()
        self.state: ScaleState = self._estimator.state(time.monotonic())
        self._said: dict[str, float] = {}
        self._start = time.monotonic()
        self._slot: LatestSlot[DepthFrame] = LatestSlot()
        self._thread = threading.Thread(target=self._run, name="depth_scale")
        self._thread.start()

    def stop(self) -> None:
        """Unsubscribe and end the thread."""
        self._inputs.close()
        self._slot.close()
        self._thread.join()

    @property
    def measures(self) -> bool:
        """Whether any source is asked for."""
        return bool(self._inputs.sources)

    def set_fallback(self, scale: float, name: str) -> None:
        """Change what holds until something is measured."""
        self._estimator.set_fallback(scale, name)
        self.state = self._estimator.state(time.monotonic())

    def apply(self, prediction: Frame, header: Header, base: float, smoothing: bool) -> Frame:
        """The prediction in metres.

        Args:
            prediction: made with the scale `base`.
            header: of the camera's picture.
            base: metres per network unit that are in it.
            smoothing: whether to take out flicker.

        Returns:
            The same with its depth multiplied; `rescaled` says by what.
        """
        stamp = stamp_ns(header)
        wants = self._estimator.wants(stamp)
        steady = 1.0
        if smoothing or wants:
            frame = DepthFrame.of(prediction, self._classes, base, stamp, header.frame_id)
            if smoothing:
                steady = self._flicker.update(frame)
            if wants:
                self._slot.put(frame.times(steady))
        before, self.state = self.state, self._estimator.state(time.monotonic())
        self._say(before)
        factor = self.state.scale * steady / base
        return prediction.times(factor)

    def values(self) -> dict[str, Any]:
        """Diagnostic values."""
        state = self.state
        values: dict[str, Any] = {"scale [m/unit]": state.scale, "scale source": state.source}
        if state.is_measured:
            values |= {"scale spread [%]": 100.0 * state.spread, "scale age [s]": state.age}
        values |= {f"scale source {name}": reason for name, reason in state.reasons.items()}
        flicker = self._flicker.flicker()
        if flicker.pictures > 1:
            values["flicker of the network, last minute [%]"] = 100.0 * flicker.before
            values["flicker published, last minute [%]"] = 100.0 * flicker.after
        return values

    @property
    def problem(self) -> str:
        """What deserves a warning in diagnostics; empty where nothing does."""
        state = self.state
        if state.is_held and state.age > HELD:
            return f"the scale is held: {state.source} has been silent for {state.age:.0f} s"
        return ""

    def _run(self) -> None:
        while (frame := self._slot.take()) is not None:
            try:
                self._estimator.observe(frame, time.monotonic())
            except Exception as error:
                if not self._node.context.ok():
                    return
                line = f"scale could not be measured: {type(error).__name__}: {first_line(error)}"
                self._log.error(line, throttle_duration_sec=REPEAT)
                self._log.debug("".join(traceback.format_exception(error)))

    def _say(self, before: ScaleState) -> None:
        """Log what changed: a source that leads now, and what keeps those that should speak from it."""
        state, log = self.state, self._log
        if state.is_measured and (state.source, state.is_held) != (before.source, before.is_held):
            if state.is_held:
                log.warning(f"scale: {state.source} has gone silent and nothing else speaks: its last value is held")
            else:
                spread = "" if math.isnan(state.spread) else f" +- {100 * state.spread:.0f} %"
                log.info(f"scale from {state.source}: {state.scale:.4g} metres per network unit{spread}")
        now = time.monotonic()
        for name, trouble in state.troubles.items():
            wanted = name == self._settings.source or self._inputs.heard(name)
            if wanted and now - self._start > PATIENCE and self._is_due(name, now):
                where = self._inputs.topic(name) if trouble == SILENT else ""
                log.warning(f"no scale from {name}: {trouble}{f' on {where!r}' if where else ''}")

    def _is_due(self, name: str, now: float) -> bool:
        due = now - self._said.get(name, -math.inf) > REPEAT
        if due:
            self._said[name] = now
        return due
