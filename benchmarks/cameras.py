# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras in one live node against as many live nodes: memory, and what comes out.

python benchmarks/cameras.py [--cameras 1 2 4] [--seconds S] [--checkpoint real] [--backend torch]

In turns, for each number of cameras: a process that sends all their pictures (640x192, 10 a second each, taken at once)
and counts depth images, and one node that serves all, or a node for each. Memory is that of the nodes' processes: RSS,
and PSS, which counts what several processes share only once. CPU is that of the nodes for each depth image; on a busy
machine it and memory mean more than the rate.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from depth_node.demo.processes import isolated_environment, running

WIDTH, HEIGHT, RATE = 640, 192, 10.0
START_SECONDS = 300.0
NODE = "depth_node.ros.main"


def rig(names: list[str], seconds: float) -> None:
    """Send pictures of all cameras and count their depth images; prints a line when the first of each is there."""
    from functools import partial

    import numpy as np
    from sensor_msgs.msg import CameraInfo, Image

    from depth_node.ros.main import ros_context
    from depth_node.ros.messages import fill_image, pinhole_info

    with ros_context([]):
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        node = rclpy.create_node("rig")
        came = dict.fromkeys(names, 0)

        def count(name: str, _: Image) -> None:
            came[name] += 1

        senders = {}
        for name in names:
            node.create_subscription(Image, f"/{name}/depth/image_rect", partial(count, name), 10)
            topics = ((CameraInfo, f"/{name}/camera_info"), (Image, f"/{name}/image"))
            senders[name] = [node.create_publisher(kind, topic, 5) for kind, topic in topics]
        pixels = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        K = np.array([[0.8 * WIDTH, 0, WIDTH / 2], [0, 0.8 * WIDTH, HEIGHT / 2], [0, 0, 1]])
        executor = SingleThreadedExecutor()
        executor.add_node(node)

        def send() -> None:
            stamp = node.get_clock().now().to_msg()
            for name, (infos, images) in senders.items():
                image = fill_image(Image(), Image().header, pixels, "rgb8")
                image.header.stamp, image.header.frame_id = stamp, name
                infos.publish(pinhole_info(image.header, K, WIDTH, HEIGHT))
                images.publish(image)

        node.create_timer(1 / RATE, send)
        end = time.monotonic() + START_SECONDS
        while not all(came.values()) and time.monotonic() < end:
            executor.spin_once(timeout_sec=0.1)
        print("begin", flush=True)
        came.update(dict.fromkeys(names, 0))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            executor.spin_once(timeout_sec=0.1)
        print(json.dumps(came), flush=True)


def measure(nodes: list[list[str]], names: list[str], args: argparse.Namespace) -> list[float]:
    """RSS and PSS MiB of all nodes, depth images a second of all cameras and of the slowest, CPU ms for each."""
    environment = isolated_environment()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        logs = [folder / f"{number}.log" for number in range(len(nodes))]
        given = ["--ros-args", "-p", f"checkpoint:={args.checkpoint}", "-p", f"backend:={args.backend}"]
        children = [
            stack.enter_context(running(NODE, ["depth_node", *given, *more], log, environment))
            for more, log in zip(nodes, logs, strict=True)
        ]
        end = time.monotonic() + START_SECONDS
        while not all("active: images from" in log.read_text() for log in logs):
            if time.monotonic() > end or any(child.poll() is not None for child in children):
                raise SystemExit(logs[0].read_text())
            time.sleep(0.2)
        command = [sys.executable, __file__, "rig", str(args.seconds), *names]
        sender = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert sender.stdout is not None
        while sender.stdout.readline().strip() != "begin":
            pass
        pids = [child.pid for child in children]
        before = sum(map(cpu_seconds, pids))
        came = json.loads(sender.stdout.readline())
        spent = sum(map(cpu_seconds, pids)) - before
        memory = [sum(memory_of(pid, kind) for pid in pids) for kind in ("Rss", "Pss")]
        sender.wait()
    total, least = sum(came.values()), min(came.values())
    return [*memory, total / args.seconds, least / args.seconds, 1e3 * spent / max(total, 1)]


def cpu_seconds(pid: int) -> float:
    """Of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int, kind: str) -> float:
    """MiB of a process, by a line of smaps_rollup."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{kind}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"the kernel tells no {kind}")


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 2, 3, 4], help="numbers to try")
    parser.add_argument("--seconds", type=float, default=20.0, help="of counting")
    parser.add_argument("--checkpoint", default="real", help="as the node takes it")
    parser.add_argument("--backend", default="torch", help="as the node takes it")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes ran in the last minute\n")
    print("| cameras | nodes | RSS MiB | PSS MiB | depth images/s | of the slowest camera | CPU ms each |")
    print("|---|---|---|---|---|---|---|")
    for number in args.cameras:
        names = [f"camera_{i}" for i in range(number)]
        one = [["-p", f"cameras:=[{', '.join(names)}]"]]
        many = [["-r", f"__ns:=/{name}"] for name in names]
        for nodes in (one, many):
            found = measure(nodes, names, args)
            cells = (
                [f"{value:.0f}" for value in found[:2]] + [f"{value:.1f}" for value in found[2:4]] + [f"{found[4]:.0f}"]
            )
            print(f"| {number} | {len(nodes)} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["rig"]:
        rig(sys.argv[3:], float(sys.argv[2]))
    else:
        main()
