# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The three flows, file by file: which files of the package run for one live frame, one recorded picture, one step.

python test/flows.py prints what docs/architecture.md shows; a test holds the two equal. Counted are files of which a
function runs while the flow is under way, after everything has been set up; a flow's own set-up and end are not.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGE = str(ROOT / "depth_node")
ON_EVERY_FLOOR = {"errors.py", "config/setting.py"}
"""Not counted: what every file leans on."""


class Trace:
    """Files of the package whose functions run while it is switched on, in the order of their first call."""

    def __init__(self) -> None:
        self.files: dict[str, None] = {}
        self.on = False

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """A profile function of `sys.setprofile`."""
        if self.on and event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            name = str(Path(frame.f_code.co_filename).relative_to(PACKAGE))
            if name not in ON_EVERY_FLOOR and frame.f_code.co_name != "<module>":
                self.files.setdefault(name)

    def without(self, callback: Callable[[], None]) -> Callable[[], None]:
        """A callback that is not traced."""

        def untraced() -> None:
            on, self.on = self.on, False
            callback()
            self.on = on

        return untraced

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Inside, this thread and those that it starts are traced."""
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)  # type: ignore[arg-type]


def simulate(folder: Path) -> Path:
    """A short bag of a simulated street, camera alone."""
    from depth_node.cli.main import main

    options = ["--frames", "14", "--width", "192", "--height", "64", "--no_lidar", "--no_lead_car", "--workers", "1"]
    assert main(["simulate", "--output", str(folder / "street"), "--seed", "3", *options]) == 0
    return folder / "street/bag"


def record(folder: Path) -> list[str]:
    """From a bag's message to the file on disk: between the first picture and the last."""
    from depth_node.config.record import RecordConfig
    from depth_node.recording.recorder import record as record_bags

    trace, total = Trace(), 14

    def progress(done: int, _total: int) -> None:
        trace.on = 2 <= done < total - 2

    with trace.installed():
        record_bags([folder / "street/bag"], folder / "recorded", RecordConfig(workers=1), progress)
    return list(trace.files)


def learn(folder: Path) -> list[str]:
    """One training step: batch, draws, loss, backward, step, metrics; without validation and saving."""
    from depth_node.cli.main import main
    from depth_node.training.module import SelfSupervisedModule

    trace, calls = Trace(), itertools.count()
    step = SelfSupervisedModule.training_step

    def traced_step(self: Any, *arguments: Any) -> Any:
        # From within the second step to within the third every part of a step comes once; the epoch ends after that.
        trace.on = next(calls) == 1
        return step(self, *arguments)

    SelfSupervisedModule.training_step = traced_step  # type: ignore[method-assign]
    small = ["--network.height", "64", "--network.width", "192", "--network.pose", "posenet", "--no_pretrained"]
    short = ["--batch_size", "2", "--workers", "0", "--steps", "6", "--log_every", "1", "--save_every", "100"]
    try:
        with trace.installed():
            data = ["--data", str(folder / "recorded"), "--output", str(folder / "run"), "--device", "cpu"]
            assert main(["train", *data, *small, *short]) == 0
    finally:
        SelfSupervisedModule.training_step = step  # type: ignore[method-assign]
    return list(trace.files)


def live(folder: Path) -> list[str]:
    """From the image's callback to the published cloud and depth image, second frame on."""
    import rclpy
    from rclpy.parameter import Parameter
    from sensor_msgs.msg import Image, PointCloud2

    trace = Trace()
    rclpy.init()
    with trace.installed():
        from depth_node.ros.live.node import DepthNode

        class Untimed(DepthNode):
            """Timers are no part of a frame's way."""

            def create_timer(self, period: float, callback: Any, **more: Any) -> Any:
                return super().create_timer(period, trace.without(callback), **more)

        # The camera alone: what other sensors say comes in when it comes. And the back end that is always there.
        settings = {
            "checkpoint": str(folder / "run/last.safetensors"),
            "scale.source": "checkpoint",
            "backend": "torch",
        }
        parameters = [Parameter(name, value=value) for name, value in settings.items()]
        node = Untimed(parameter_overrides=parameters)
        try:
            drive(node, trace, Image, PointCloud2)
        finally:
            node.trigger_deactivate()
            node.trigger_cleanup()
            node.destroy_node()
            rclpy.try_shutdown()
    return list(trace.files)


def drive(node: Any, trace: Trace, image_type: Any, cloud_type: Any) -> None:
    """Send the live node pictures until three clouds have come back; trace after the first."""
    import numpy as np
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    from depth_node.ros.messages import fill_image, pinhole_info

    robot = rclpy.create_node("robot")
    clouds: list[Any] = []
    robot.create_subscription(cloud_type, "depth/points", clouds.append, 10)
    robot.create_subscription(image_type, "depth/image_rect", lambda _: None, 10)
    images = robot.create_publisher(image_type, "image", 10)
    infos = robot.create_publisher(type(pinhole_info(image_type().header, np.eye(3), 2, 2)), "camera_info", 10)
    executor = SingleThreadedExecutor()
    executor.add_node(robot)
    executor.add_node(node)
    node.trigger_configure()
    node.trigger_activate()
    for sent in range(1, 400):
        trace.on = False  # what the test itself calls does not count
        message = fill_image(image_type(), image_type().header, np.full((48, 96, 3), sent % 256, np.uint8), "rgb8")
        message.header.stamp.sec = sent
        info = pinhole_info(message.header, np.array([[80.0, 0, 47.5], [0, 80, 23.5], [0, 0, 1]]), 96, 48)
        trace.on = len(clouds) >= 1
        infos.publish(info)
        images.publish(message)
        for _ in range(6):
            executor.spin_once(timeout_sec=0.05)
        if len(clouds) >= 4:
            break
    trace.on = False
    robot.destroy_node()
    assert len(clouds) >= 4, "no clouds came back"


FLOWS: dict[str, tuple[str, Callable[[Path], list[str]]]] = {
    "live": ("one frame, from the image's callback to cloud and depth image", live),
    "record": ("one picture, from the bag's message to the file on disk", record),
    "learn": ("one training step", learn),
}


def section(name: str, files: list[str]) -> str:
    """What docs/architecture.md shows of a flow."""
    return f"**{name}**, {FLOWS[name][0]}: {len(files)} files\n\n```\n" + "\n".join(files) + "\n```\n"


def traced() -> dict[str, list[str]]:
    """The files of all flows, in order of first call."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        simulate(folder)
        found = {name: FLOWS[name][1](folder) for name in ("record", "learn", "live")}
    return {name: found[name] for name in FLOWS}


if __name__ == "__main__":
    print("\n".join(section(name, files) for name, files in traced().items()))
