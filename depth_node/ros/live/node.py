# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The live node: a lifecycle node from camera images to depth images, semantic classes and clouds.

configure loads the networks, activate subscribes, deactivate lets go of the camera, cleanup frees all memory.
"""

from __future__ import annotations

import functools
import gc
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.timer import Timer

from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.shipped import DEFAULT
from depth_node.config.live import NodeConfig
from depth_node.errors import CheckpointError, DepthNodeError
from depth_node.inference.engine import Engine, open_engine
from depth_node.ros.diagnostics import PERIOD, DiagnosticsPublisher, frame_values
from depth_node.ros.library_log import warnings_to
from depth_node.ros.live.camera_input import CameraInput, image_topic
from depth_node.ros.live.checkpoint_swap import CheckpointSwap
from depth_node.ros.live.frame_statistics import FrameStatistics, Snapshot
from depth_node.ros.live.frame_worker import FrameWorker
from depth_node.ros.live.outputs import SEMANTIC_TOPICS, TOPICS, DepthOutputs
from depth_node.ros.live.runtime_scale import RuntimeScale
from depth_node.ros.live.scale_inputs import Transforms
from depth_node.ros.live.status import describe, fallback_scale, is_unscaled, view_values
from depth_node.ros.parameters import NodeParameters
from depth_node.ros.qos import override_names

"""Names of the checkpoint that comes with the package."""


def transition(method: Callable[[DepthNode], None]) -> Callable[[DepthNode, LifecycleState], TransitionCallbackReturn]:
    """Make a transition callback of a method: a reported error is FAILURE, any other is ERROR, each with one line.

    rclpy itself swallows exceptions of these callbacks without a word.
    """

    @functools.wraps(method)
    def callback(node: DepthNode, state: LifecycleState) -> TransitionCallbackReturn:
        name = method.__name__.removeprefix("on_")
        try:
            method(node)
        except DepthNodeError as error:
            node.report_problem(f"cannot {name}: {error}")
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            node.report_problem(f"cannot {name} when {state.label}: {type(error).__name__}: {error}")
            node.get_logger().debug(traceback.format_exc())
            return TransitionCallbackReturn.ERROR
        if name != "error":
            node.report_problem("")
        return TransitionCallbackReturn.SUCCESS

    return callback


class DepthNode(LifecycleNode):
    """Managed node `depth_node`; topics and parameters are listed in the README."""

    def __init__(self, **options: Any) -> None:
        """Declare parameters; nothing is loaded yet.

        Args:
            options: for `rclpy.node.Node`, such as `namespace` and `parameter_overrides`.
        """
        super().__init__("depth_node", **options)
        self._estimator: Engine | None = None
        self._outputs: DepthOutputs | None = None
        self._worker: FrameWorker | None = None
        self._camera: CameraInput | None = None
        self._scale: RuntimeScale | None = None
        self._swap: CheckpointSwap | None = None
        self._graph_timer: Timer | None = None
        self._statistics = FrameStatistics()
        self._problem = ""
        self._config = NodeConfig()
        self._settings = NodeParameters(self, NodeConfig, locked=self._is_configured, on_change=self._apply)
        self._diagnostics = DiagnosticsPublisher(self, self._report)

    @property
    def autostart(self) -> bool:
        """Whether the node is to configure and activate itself."""
        return bool(self.get_parameter("autostart").value)

    @transition
    def on_configure(self) -> None:
        """Load the networks and advertise; FAILURE where parameters or checkpoint are wrong."""
        topics = [self.resolve_topic_name(topic) for topic in TOPICS | SEMANTIC_TOPICS]
        self._config = self._settings.read(override_names(topics))
        Transforms(self._config.scale.extrinsics)  # a file that cannot be read is no matter of activation
        self._estimator = self._load(self._config)
        self._statistics = FrameStatistics()
        self._outputs = DepthOutputs(self, self._estimator.classes)
        self._swap = CheckpointSwap(self, self._config, self._load, self._take)

    @transition
    def on_activate(self) -> None:
        """Start the worker and subscribe."""
        assert self._estimator is not None
        assert self._outputs is not None
        transport = self._config.image_transport
        topic = image_topic(self, transport)
        self._scale = self._runtime_scale(self._estimator)
        self._worker = FrameWorker(
            self, self._estimator, self._outputs, self._statistics, lambda: self._config, self._current_scale, topic
        )
        self._camera = CameraInput(self, transport, self._worker.submit, self._statistics, self._outputs.wanted)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._graph_timer = self.create_timer(PERIOD, self._outputs.warn_incompatible, clock=steady)
        self.get_logger().info(f"active: images from '{topic}', calibration from '{self._camera.info.topic}'")

    @transition
    def on_deactivate(self) -> None:
        """Unsubscribe, finish the frame in work."""
        self._stop()

    @transition
    def on_cleanup(self) -> None:
        """Free everything that configure made."""
        self._release()

    @transition
    def on_shutdown(self) -> None:
        """Stop from any state."""
        self._release()

    @transition
    def on_error(self) -> None:
        """After an unexpected error in a transition: unconfigured again."""
        self._release()

    def report_problem(self, problem: str) -> None:
        """Log why a transition failed and keep it for /diagnostics; empty after one that succeeded."""
        self._problem = problem
        if problem:
            self.get_logger().error(problem)

    def destroy_node(self) -> None:
        """Stop the worker before ROS goes away."""
        self._release()
        super().destroy_node()

    def _load(self, config: NodeConfig) -> Engine:
        say = self.get_logger().info
        path = located(config.checkpoint or DEFAULT, say=say)
        with warnings_to(self.get_logger().warning):
            estimator = open_engine(path, config.device, config.precision, config.input.fit, config.backend, say)
        estimator.scale, _ = fallback_scale(config, estimator)
        about = describe(estimator, config)
        self.get_logger().info(
            f"loaded {path.name}: {about['model']}, semantic network {about['semantic network']}, "
            f"on {estimator.device} by {estimator.backend}"
        )
        if (config.checkpoint or DEFAULT) == DEFAULT:
            self.get_logger().warning(
                "this is the shipped checkpoint, which knows a simulated street only: on a real camera use "
                "checkpoint 'real', or record and train your own (README, 'Monday a bag, Tuesday depth')"
            )
        if is_unscaled(config, estimator):
            self.get_logger().warning(
                "the checkpoint knows no metric scale, depth is in network units until something measures it: see "
                "scale.source, or set scale.fixed to metres per unit"
            )
        estimator.warm_up()
        return estimator

    def _apply(self, config: NodeConfig) -> None:
        """Take over a changed configuration; the worker reads it with its next frame."""
        before, self._config = self._config, config
        if self._estimator is None or self._swap is None:
            return
        self._swap.ask(config)
        self._estimator.scale, name = fallback_scale(config, self._estimator)
        self._estimator.fit = config.input.fit
        if self._scale is not None:
            self._scale.set_fallback(self._estimator.scale, name)
            if sources_of(before) != sources_of(config):
                old, self._scale = self._scale, self._runtime_scale(self._estimator)
                old.stop()

    def _take(self, estimator: Engine, checkpoint: str) -> None:
        """Let another network take over; raises CheckpointError where topics would have to change for it."""
        assert self._estimator is not None
        if estimator.classes != self._estimator.classes:
            raise CheckpointError("it has other semantic classes, whose topics need a cleanup and configure")
        estimator.scale, _ = fallback_scale(self._config, estimator)
        estimator.fit = self._config.input.fit
        self._estimator = estimator
        if self._worker is not None:
            fresh = self._runtime_scale(estimator)  # its unit is another one
            with self._worker.between_frames():
                before, self._scale = self._scale, fresh
                self._worker.use(estimator)
            if before is not None:
                before.stop()
        self.get_logger().info(f"{checkpoint} has taken over")

    def _runtime_scale(self, estimator: Engine) -> RuntimeScale:
        assert self._outputs is not None
        fallback = fallback_scale(self._config, estimator)
        return RuntimeScale(self, self._config.scale, fallback, estimator.classes, self._outputs.wanted)

    def _current_scale(self) -> RuntimeScale:
        assert self._scale is not None
        return self._scale

    def _is_configured(self) -> bool:
        return self._estimator is not None

    def _stop(self) -> None:
        if self._camera is not None:
            self._camera.close()
        if self._graph_timer is not None:
            self.destroy_timer(self._graph_timer)
        if self._worker is not None:
            self._worker.stop()
        if self._scale is not None:
            self._scale.stop()
        self._camera = self._graph_timer = self._worker = self._scale = None

    def _release(self) -> None:
        if self._swap is not None:
            self._swap.stop()
        self._swap = None
        self._stop()
        if self._outputs is not None:
            self._outputs.close()
        if self._estimator is not None:
            self._estimator.release()
        self._outputs = self._estimator = None
        gc.collect()

    def _report(self) -> tuple[str, str, Mapping[str, Any]]:
        """Level, message and values for /diagnostics."""
        snapshot = self._statistics.snapshot()
        values = frame_values(snapshot)
        if self._estimator is not None:
            values |= describe(self._estimator, self._config)
        if self._estimator is None:
            return ("error", self._problem, values) if self._problem else ("ok", "unconfigured", values)
        if self._camera is None:
            return "ok", "inactive", values
        if self._worker is not None and self._worker.view is not None:
            values |= view_values(self._worker.view)
        if self._scale is not None:
            values |= self._scale.values()
        values["image publishers"] = ", ".join(self._camera.image.publishers) or "none"
        return (*self._camera_state(self._camera, snapshot), values)

    def _camera_state(self, camera: CameraInput, snapshot: Snapshot) -> tuple[str, str]:
        """Level and message of an active node."""
        topic = camera.image.topic
        if not camera.image.is_open:
            if camera.image.publishers:
                return "ok", "idle, nobody subscribes"
            return "warn", f"idle, nobody subscribes, and nobody publishes '{topic}'"
        if not snapshot.received or snapshot.is_silent:
            since = f"for {snapshot.age:.1f} s" if snapshot.received else "yet"
            return "warn", f"no image on '{topic}' {since}"
        if not snapshot.rate:
            return "warn", "images arrive but lead to no depth, see the drops"
        problem = (self._swap.problem if self._swap else "") or self._scale_problem()
        return ("warn", f"running, but {problem}") if problem else ("ok", "running")

    def _scale_problem(self) -> str:
        """Why metres are not to be trusted; empty where they are."""
        assert self._estimator is not None
        if self._scale is not None and self._scale.problem:
            return self._scale.problem
        if is_unscaled(self._config, self._estimator) and not (self._scale and self._scale.state.is_measured):
            return "depth is in network units: nothing says how long one is, see scale.source"
        return ""


def sources_of(config: NodeConfig) -> tuple[object, ...]:
    """What a change of makes other sources of scale."""
    return config.scale.source, config.scale.camera_height, config.scale.ground_frame
