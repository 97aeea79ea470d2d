# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A live node at work for a long time: a bag in a loop, every frame accounted for, memory and errors over time.

python benchmarks/soak.py [--minutes 30] [--bag BAG] [--checkpoint NAME] [--domain 96]

Three processes on this machine: `depth play --loop`, the live node, and this one, which takes depth images and clouds.
At the end the player stops, the node works off what it has, and its own counters must add up: received = published +
dropped. The exit status is 1 where they do not, where the log has errors, or where memory after the last quarter is
more than 2 % above that after the first.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from depth_node.checkpoints.shipped import REAL
from depth_node.demo.highway import CLIP

SETTLE = 60.0
"""Seconds at most, after the player's end, for the frame in work: on a busy machine it takes its time."""
QUIET = 3.0
"""Seconds of them in any case, for what is still on the way."""
ROWS = 8
HEAD = "| minutes | received | published | dropped | loops | memory MiB | errors |\n|---|---|---|---|---|---|---|"
ERROR = 40
"""Level of log messages, as in rcl_interfaces/Log."""
GROWTH = 2.0
"""Per cent of memory."""


class Watcher:
    """Takes what the node publishes, its statuses and its log."""

    def __init__(self, node: Any) -> None:
        """Subscribe."""
        from diagnostic_msgs.msg import DiagnosticArray
        from rcl_interfaces.msg import Log
        from sensor_msgs.msg import Image, PointCloud2

        self.came = {"depth/image_rect": 0, "depth/points": 0}
        self.errors: list[str] = []
        self.values: dict[str, str] = {}
        self.loops, self._last = 0, 0
        node.create_subscription(Image, "depth/image_rect", self._on_depth, 10)
        node.create_subscription(PointCloud2, "depth/points", lambda _: self._count("depth/points"), 10)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_status, 10)
        node.create_subscription(Log, "/rosout", self._on_log, 100)

    def _count(self, topic: str) -> None:
        self.came[topic] += 1

    def _on_depth(self, message: Any) -> None:
        self._count("depth/image_rect")
        second = message.header.stamp.sec
        self.loops += second < self._last
        self._last = second

    def _on_status(self, array: Any) -> None:
        if array.status[0].name == "depth_node":
            self.values = {each.key: each.value for each in array.status[0].values}

    def _on_log(self, message: Any) -> None:
        if message.level >= ERROR:
            self.errors.append(message.msg)

    def drops(self) -> dict[str, int]:
        """Dropped images by reason."""
        start = "dropped: "
        return {key.removeprefix(start): int(value) for key, value in self.values.items() if key.startswith(start)}

    def number(self, key: str) -> float:
        """A value of the last status."""
        return float(self.values.get(key, "nan"))

    def adds_up(self) -> bool:
        """Whether every image that arrived was published or dropped."""
        return self.number("images received") == self.number("images published") + sum(self.drops().values())

    def row(self, minutes: float) -> str:
        """A line of the table."""
        dropped = ", ".join(f"{count} {reason}" for reason, count in self.drops().items()) or "none"
        cells = (f"{minutes:.1f}", self.number("images received"), self.number("images published"), dropped)
        counts = [f"{cell:.0f}" if isinstance(cell, float) else cell for cell in cells]
        memory = f"{self.number('memory [MiB]'):.0f}"
        return f"| {' | '.join([*counts, str(self.loops), memory, str(len(self.errors))])} |"


def program(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A Python program of the package, silent."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.DEVNULL)


def watch(args: argparse.Namespace) -> bool:
    """Run all three, print the table; returns whether all is well."""
    from depth_node.ros.main import ros_context

    arguments = ("-p", f"checkpoint:={args.checkpoint}", "-p", f"backend:={args.backend}")
    with ros_context([]) as stop:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        node = rclpy.create_node("soak")
        watcher, executor = Watcher(node), SingleThreadedExecutor()
        executor.add_node(node)
        live = program("depth_node.ros.main", "depth_node", "--ros-args", *arguments, "-r", f"image:={args.image}")
        player = program("depth_node.cli.main", "play", str(args.bag), "--loop", "--wait", "300")
        try:
            while not watcher.came["depth/image_rect"] and live.poll() is None and not stop.is_set():
                executor.spin_once(timeout_sec=0.1)
            print(HEAD)
            start, memory = time.monotonic(), []
            for number in range(1, ROWS + 1):
                while time.monotonic() - start < number * 60 * args.minutes / ROWS and not stop.is_set():
                    executor.spin_once(timeout_sec=0.1)
                memory.append(watcher.number("memory [MiB]"))
                print(watcher.row((time.monotonic() - start) / 60), flush=True)
            player.send_signal(signal.SIGINT)
            player.wait(60)
            end = time.monotonic()
            while (seconds := time.monotonic() - end) < SETTLE and (seconds < QUIET or not watcher.adds_up()):
                executor.spin_once(timeout_sec=0.1)
        finally:
            for each in (player, live):
                each.send_signal(signal.SIGINT)
                each.wait(60)
        node.destroy_node()
    return judge(watcher, memory, live.returncode)


def judge(watcher: Watcher, memory: list[float], status: int) -> bool:
    """Say what came of it."""
    received, published = (int(watcher.number(f"images {name}")) for name in ("received", "published"))
    dropped = sum(watcher.drops().values())
    growth = 100 * (memory[-1] / memory[ROWS // 4 - 1] - 1)
    print(f"\nreceived {received} = published {published} + dropped {dropped}: {watcher.adds_up()}")
    print(f"came here: {', '.join(f'{count} {topic}' for topic, count in watcher.came.items())}")
    print(f"memory after the last quarter over that after the first: {growth:+.2f} %; the node's exit status: {status}")
    for line in watcher.errors[:10]:
        print(f"error in the log: {line}")
    return received > 0 and watcher.adds_up() and not watcher.errors and growth <= GROWTH and status == 0


def main() -> None:
    """Soak."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="from the first depth image on")
    parser.add_argument("--bag", type=Path, default=CLIP, help="played in a loop; the demonstration's highway")
    parser.add_argument("--image", default="/camera/image_raw", help="its image topic")
    parser.add_argument("--checkpoint", default=REAL, help="path or name")
    parser.add_argument("--backend", default="torch", help="what computes the network")
    parser.add_argument("--domain", default="96", help="ROS_DOMAIN_ID of the three, that nobody else uses")
    args = parser.parse_args()
    os.environ |= {"ROS_DOMAIN_ID": args.domain, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    print(f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes ran in the last minute\n")
    sys.exit(0 if watch(args) else 1)


if __name__ == "__main__":
    main()
