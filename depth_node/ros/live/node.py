# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The live node: a lifecycle node from camera images to depth images, semantic classes and clouds.

However many cameras there are, the network is in memory once, and one worker serves all.

configure loads the networks, activate subscribes, deactivate lets go of the camera, cleanup frees all memory.
"""

from __future__ import annotations

import functools
import gc
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.timer import Timer
from std_srvs.srv import SetBool

from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.shipped import DEFAULT
from depth_node.config.live import SHARED, NodeConfig
from depth_node.errors import CheckpointError, DepthNodeError
from depth_node.inference.engine import Engine, open_engine
from depth_node.ros.diagnostics import PERIOD, DiagnosticsPublisher, Report, frame_values
from depth_node.ros.library_log import warnings_to
from depth_node.ros.live.camera_name import topic_of
from depth_node.ros.live.camera_stream import DISABLED, CameraStream
from depth_node.ros.live.checkpoint_swap import CheckpointSwap
from depth_node.ros.live.frame_statistics import FrameStatistics
from depth_node.ros.live.frame_worker import FrameWorker
from depth_node.ros.live.scale_inputs import Transforms
from depth_node.ros.live.status import describe, fallback_scale, is_unscaled
from depth_node.ros.live.topic_list import SEMANTIC_TOPICS, TOPICS
from depth_node.ros.parameters import NodeParameters
from depth_node.ros.qos import override_names


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
    """Managed node `depth_node`; topics and parameters are listed in docs/interface.md."""

    def __init__(self, **options: Any) -> None:
        """Declare parameters; nothing is loaded yet.

        Args:
            options: for `rclpy.node.Node`, such as `namespace` and `parameter_overrides`.
        """
        super().__init__("depth_node", **options)
        self._estimator: Engine[Any] | None = None
        self._cameras: list[CameraStream] = []
        self._worker: FrameWorker | None = None
        self._swap: CheckpointSwap | None = None
        self._graph_timer: Timer | None = None
        self._problem = ""
        self._config = NodeConfig()
        self._settings = NodeParameters(self, NodeConfig, locked=self._is_configured, on_change=self._apply)
        self._diagnostics = DiagnosticsPublisher(self, self._report, self._camera_reports)
        self.create_service(SetBool, "~/enable", self._on_enable)

    @property
    def autostart(self) -> bool:
        """Whether the node is to configure and activate itself."""
        return bool(self.get_parameter("autostart").value)

    @transition
    def on_configure(self) -> None:
        """Load the networks and advertise; FAILURE where parameters or checkpoint are wrong."""
        self._config = self._settings.read(self._override_names, camera_parts, SHARED)
        for config in (self._config, *self._settings.parts.values()):
            Transforms(config.scale.extrinsics)  # a file that cannot be read is no matter of activation
        self._estimator = self._load(self._config)
        self._cameras = [
            CameraStream(self, name, self._estimator, self._config_of(name)) for name in self._config.camera_names
        ]
        self._swap = CheckpointSwap(self, self._config, self._load, self._take)

    @transition
    def on_activate(self) -> None:
        """Start the worker and subscribe."""
        try:
            self._start()
        except BaseException:
            self._stop()  # what had been started runs no more when the next activation begins
            raise

    def _start(self) -> None:
        assert self._estimator is not None
        self._worker = FrameWorker(self, self._estimator)
        for camera in self._cameras:
            camera.activate(self._estimator, self._worker.submit)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._graph_timer = self.create_timer(PERIOD, self._warn_incompatible, clock=steady)

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

    def _load(self, config: NodeConfig) -> Engine[Any]:
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
        self._config = config
        if self._estimator is None or self._swap is None:
            return
        self._swap.ask(config)
        self._estimator.scale, _ = fallback_scale(config, self._estimator)
        self._estimator.fit = config.input.fit
        for camera in self._cameras:
            camera.configure(self._config_of(camera.name), self._estimator)

    def _on_enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """The service `~/enable`: sets the parameter `enabled`."""
        [result] = self.set_parameters([Parameter("enabled", value=bool(request.data))])
        response.success = result.successful
        response.message = result.reason or ("enabled" if request.data else DISABLED)
        return response

    def _take(self, estimator: Engine[Any], checkpoint: str) -> None:
        """Let another network take over; raises CheckpointError where topics would have to change for it."""
        assert self._estimator is not None
        if estimator.classes != self._estimator.classes:
            raise CheckpointError("it has other semantic classes, whose topics need a cleanup and configure")
        estimator.scale, _ = fallback_scale(self._config, estimator)
        estimator.fit = self._config.input.fit
        self._estimator = estimator
        if self._worker is not None:
            fresh = [camera.new_scale(estimator) for camera in self._cameras]  # its unit is another one
            before = [camera.scale for camera in self._cameras]
            with self._worker.between_frames():
                for camera, scale in zip(self._cameras, fresh, strict=True):
                    camera.scale = scale
                self._worker.use(estimator)
            for old in before:
                if old is not None:
                    old.stop()
        self.get_logger().info(f"{checkpoint} has taken over")

    def _config_of(self, camera: str) -> NodeConfig:
        """The configuration of the moment, with what is set for one camera alone; `enabled` false pauses all."""
        config = self._settings.parts.get(camera, self._config)
        return config if self._config.enabled else replace(config, enabled=False)

    def _override_names(self, config: NodeConfig) -> list[str]:
        """The parameters of quality of service that outputs declare."""
        topics = [topic_of(camera, topic) for camera in config.camera_names for topic in TOPICS | SEMANTIC_TOPICS]
        return override_names([self.resolve_topic_name(topic) for topic in topics])

    def _warn_incompatible(self) -> None:
        for camera in self._cameras:
            camera.outputs.warn_incompatible()

    def _is_configured(self) -> bool:
        return self._estimator is not None

    def _stop(self) -> None:
        for camera in self._cameras:
            camera.pause()
        if self._graph_timer is not None:
            self.destroy_timer(self._graph_timer)
        if self._worker is not None:
            self._worker.stop()
        for camera in self._cameras:
            camera.deactivate()
        self._graph_timer = self._worker = None

    def _release(self) -> None:
        if self._swap is not None:
            self._swap.stop()
        self._swap = None
        self._stop()
        for camera in self._cameras:
            camera.outputs.close()
        if self._estimator is not None:
            self._estimator.release()
        self._cameras, self._estimator = [], None
        gc.collect()

    def _report(self) -> Report:
        """Level, message and values for /diagnostics: of a camera alone everything, of several what they share."""
        if self._estimator is None:
            values = frame_values(FrameStatistics().snapshot())
            return ("error", self._problem, values) if self._problem else ("ok", "unconfigured", values)
        problem = self._swap.problem if self._swap else ""
        values = describe(self._estimator, self._config)
        if len(self._cameras) == 1:
            [camera] = self._cameras
            return (*camera.state(self._estimator, problem), values | camera.values())
        counts = [camera.statistics.snapshot() for camera in self._cameras]
        values["images received"] = sum(count.received for count in counts)
        values["images published"] = sum(count.published for count in counts)
        troubles = [
            f"{camera.name}: {message}"
            for camera in self._cameras
            for level, message in [camera.state(self._estimator)]
            if level != "ok"
        ]
        troubles += [problem] if problem else []
        state = f"{len(self._cameras)} cameras" if self._config.enabled else DISABLED
        return "warn" if troubles else "ok", "; ".join(troubles) or state, values

    def _camera_reports(self) -> dict[str, Report]:
        """The same for each of several cameras."""
        if self._estimator is None or len(self._cameras) == 1:
            return {}
        return {camera.name: (*camera.state(self._estimator), camera.values()) for camera in self._cameras}


def camera_parts(config: NodeConfig) -> tuple[str, ...]:
    """The cameras that can have parameters of their own: those with a name."""
    return tuple(filter(None, config.camera_names))
