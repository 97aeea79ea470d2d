# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Entry points of the executables: start, spin, and leave with an exit code that tells the truth.

rclpy comes first of all heavy imports: the wheels of PyPI may restart the interpreter to set its library path.
"""

from __future__ import annotations

import re
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from depth_node.allocator import keep_large_blocks
from depth_node.errors import DepthNodeError, RosError, first_line
from depth_node.ros.surroundings import clear_dead_segments, make_room_for_large_messages, share_cores

SIGNAL_LATENCY = 0.2
"""Seconds at most until a signal is seen: Python's handlers wait until the middleware's own waiting returns."""


REMAPPING = re.compile(r"(image|camera_info|__\w+):=")
"""What ROS 2 still takes without --ros-args."""


class StoppedEarlyError(BaseException):
    """A signal came while there was nothing yet that has to be finished."""


class Stop(threading.Event):
    """Set by SIGINT and SIGTERM; while `interruptible`, they also break off what is being done."""

    interruptible = False

    @contextmanager
    def breaking_off(self) -> Iterator[None]:
        """A block that a signal ends at once with StoppedEarlyError, such as loading: nobody waits for its result."""
        self.interruptible = True
        try:
            if self.is_set():
                raise StoppedEarlyError
            yield
        finally:
            self.interruptible = False

    def __call__(self, *_: Any) -> None:
        """The signal handler."""
        self.set()
        if self.interruptible:
            self.interruptible = False  # once: the way out must not be broken off
            raise StoppedEarlyError


class HelpWantedError(Exception):
    """Somebody asks what an executable takes."""


@contextmanager
def ros_context(args: Sequence[str] | None = None) -> Iterator[Stop]:
    """Initialised rclpy, shut down at the end; yields an event that SIGINT and SIGTERM set.

    rclpy's own handlers would pull the context away from under a node at work. With the event, whatever is being done
    is finished, published and freed, and no KeyboardInterrupt strikes, however often Ctrl-C is hit.

    Args:
        args: ROS arguments (`--ros-args ...`); None takes the command line's.

    Raises:
        RosError: rclpy is not installed, or the arguments are wrong.
        HelpWantedError: `--help` is among them.
    """
    make_room_for_large_messages()
    clear_dead_segments()
    stop = Stop()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        rclpy = _initialise(args)
        try:
            yield stop
        finally:
            rclpy.try_shutdown()
    finally:
        # Ctrl-C under `ros2 launch` comes twice, from the terminal and from launch; the second must not kill the exit.
        for number, handler in before.items():
            signal.signal(number, signal.SIG_IGN if stop.is_set() else handler)


def _initialise(args: Sequence[str] | None) -> Any:
    try:
        import rclpy
        from rclpy.signals import SignalHandlerOptions
    except ImportError as error:
        raise RosError(
            f"rclpy cannot be imported ({error}): source a ROS 2 installation (. /opt/ros/<distribution>/setup.sh), "
            "or pip install ros-rclpy ros-rmw-fastrtps-cpp ros-common-interfaces"
        ) from None
    _refuse_others(sys.argv[1:] if args is None else args)
    try:
        rclpy.init(args=list(args) if args is not None else None, signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # rclpy raises several types of its C++ core here
        raise RosError(f"ROS 2 cannot start: {first_line(error)}") from None
    return rclpy


def _refuse_others(args: Sequence[str]) -> None:
    """ROS passes over what it does not know, so that a checkpoint would be ignored without a word."""
    others, ours = [], True
    for arg in args:
        if arg in ("--ros-args", "--"):
            ours = arg == "--"
        elif ours and not REMAPPING.match(arg):
            others.append(arg)
    if {"-h", "--help"} & set(others):
        raise HelpWantedError
    if others:
        name, _, value = others[0].lstrip("-").replace(":=", "=").partition("=")
        value = value or next((other for other in others[1:] if other[0] != "-"), "VALUE")
        raise RosError(
            f"'{others[0]}' means nothing here: parameters are given as --ros-args -p {name}:={value}, topics as "
            "--ros-args -r image:=/camera/image_raw; --help lists them"
        )


def run_node(make: Callable[[], Any], start: Callable[[Any, Any], int | None], stop: threading.Event) -> int:
    """Make a node, start it, spin until told to stop; returns the exit status.

    Args:
        make: constructs the node.
        start: brings the node to work, given node and executor; None spins on, a status ends here.
        stop: ends the spinning.
    """
    from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

    try:
        node = make()
    except DepthNodeError:
        raise
    except Exception as error:  # an unreadable parameter file surfaces only now
        raise RosError(f"cannot create the node: {first_line(error)}") from None
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        status = start(node, executor)
        while status is None and not stop.is_set():
            executor.spin_once(timeout_sec=SIGNAL_LATENCY)
    except (ExternalShutdownException, StoppedEarlyError):
        status = 0
    finally:
        executor.remove_node(node)
        node.destroy_node()
        executor.shutdown()
    return status or 0


def depth_node(args: Sequence[str] | None = None) -> int:
    """The live node, `ros2 run depth_node depth_node`."""
    return _reported("depth_node", lambda: _run_depth_node(args), _depth_node_help)


def recorder_node(args: Sequence[str] | None = None) -> int:
    """The recorder, `ros2 run depth_node recorder_node`."""
    return _reported("recorder_node", lambda: _run_recorder_node(args), _recorder_node_help)


def _run_depth_node(args: Sequence[str] | None) -> int:
    share_cores()
    keep_large_blocks()  # or the pages of every large map are fetched and cleared anew for every picture
    with ros_context(args) as stop:
        with stop.breaking_off():  # torch and the networks take seconds
            from rclpy.lifecycle import TransitionCallbackReturn

            from depth_node.ros.live.node import DepthNode

        def start(node: DepthNode, _: Any) -> int | None:
            for trigger in (node.trigger_configure, node.trigger_activate) if node.autostart else ():
                with stop.breaking_off():
                    done = trigger()
                if done != TransitionCallbackReturn.SUCCESS:
                    return 1
            return None

        return run_node(DepthNode, start, stop)


def _run_recorder_node(args: Sequence[str] | None) -> int:
    with ros_context(args) as stop:
        from depth_node.ros.recorder_node import RecorderNode

        return run_node(RecorderNode, lambda node, executor: node.run(executor, stop), stop)


def _depth_node_help() -> str:
    from depth_node.config.live import NodeConfig
    from depth_node.ros.live.topic_list import LATCHED_TOPICS, SEMANTIC_TOPICS, TOPICS

    return f"""Depth images and point clouds of one camera, or of several with one network.

depth_node --ros-args -p checkpoint:=best.safetensors -r image:=/camera/image_raw
ros2 run depth_node depth_node --ros-args --params-file depth.yaml

With -p cameras:="[front, rear]" every topic has a camera's name before it, such as front/image.
Takes `image` and `camera_info`, publishes {", ".join(TOPICS)};
with a semantic network {", ".join(SEMANTIC_TOPICS | LATCHED_TOPICS)} too.

{_parameters(NodeConfig)}"""


def _recorder_node_help() -> str:
    from depth_node.config.recorder import RecorderNodeConfig

    return f"""Rosbags to KITTI-style sequences for training; `depth record` does the same without ROS.

recorder_node --ros-args -p bags:=[my_bag] -p output:=recorded

{_parameters(RecorderNodeConfig)}"""


def _parameters(config: type) -> str:
    """All parameters of a node with their defaults, for people."""
    from depth_node.config.setting import settings

    lines = ["Parameters (--ros-args -p NAME:=VALUE):"]
    for named in settings(config):
        lines += textwrap.wrap(
            f"{named.name} = {named.default!r}: {named.about.describe()}",
            110,
            initial_indent="  ",
            subsequent_indent="      ",
        )
    return "\n".join(lines)


def _reported(name: str, run: Callable[[], int], explain: Callable[[], str]) -> int:
    try:
        return run()
    except HelpWantedError:
        print(explain())
        return 0
    except StoppedEarlyError:
        return 0
    except DepthNodeError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    NODES = {"depth_node": depth_node, "recorder_node": recorder_node}
    sys.exit(NODES[sys.argv.pop(1)]() if sys.argv[1:] and sys.argv[1] in NODES else f"give one of {', '.join(NODES)}")
