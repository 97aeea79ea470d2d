# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What arrives of large messages in another process, best effort and reliable, with Fast DDS as it comes and with ours.

python benchmarks/wire.py [--count 1800] [--rate 30] [--messages cloud depth played] [--json FILE]

The sender publishes messages that are ready, as the live node offers them, or is `depth play` with a 1080p camera. The
subscriber is a plain one with sensor-data quality of service (five are kept), on this machine, and has no profile; only
a player's has the sender's, as the live node has. Nothing else is measured: no camera, no network on a wire.

Delay: from before publish() to the callback; of what is played from the middleware's own stamp. The longest pause
between two callbacks tells whether the subscriber stood still: longer than five messages take, and it drops the oldest.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

MESSAGES: Mapping[str, tuple[str, int, int]] = {
    "small_depth": ("depth", 640, 192),
    "cloud": ("cloud", 640, 192),
    "depth": ("depth", 1242, 375),
    "picture": ("picture", 1920, 1080),
    "large_cloud": ("cloud", 1242, 375),
    "played": ("played", 1920, 1080),
}
"""What is sent, columns and rows."""
PROFILES = {"as it comes": {"FASTDDS_BUILTIN_TRANSPORTS": "DEFAULT"}, "ours": {}}
"""Environment by what Fast DDS's profile is called in the table."""
EXECUTORS = ("single", "events")
SECONDS_TO_MEET, TAIL = 2.0, 1.0
PATIENCE = 60.0
PLAYED_PICTURES = 30
TOPIC, PLAYED_TOPIC = "wire", "/camera/image_raw"


def receive(topic: str, kind: str, reliability: str, executor_name: str, blocks: str) -> None:
    """Take messages until SIGINT, then print (number, delay s, arrival s) of each as JSON, and what they cost."""
    from depth_node.allocator import keep_large_blocks
    from depth_node.ros.main import SIGNAL_LATENCY, ros_context

    if blocks == "kept":
        keep_large_blocks()
    with ros_context([]) as stop:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.qos import ReliabilityPolicy, qos_profile_sensor_data
        from sensor_msgs.msg import Image, PointCloud2

        came: list[tuple[int, float, float]] = []

        def take(message: Any) -> None:
            now, header = time.time(), message.header
            came.append((int(header.frame_id), now - header.stamp.sec - header.stamp.nanosec * 1e-9, now))

        def take_played(_: Any, info: Any) -> None:  # rclpy 9.1's EventsExecutor fails where info is wanted
            now = time.time()
            if not came:
                print("first", flush=True)
            came.append((info["publication_sequence_number"], now - info["source_timestamp"] * 1e-9, now))

        node, profile = rclpy.create_node("wire_receiver"), qos_profile_sensor_data
        profile.reliability = ReliabilityPolicy[reliability]
        callback = take_played if kind == "played" else take
        node.create_subscription(PointCloud2 if kind == "cloud" else Image, topic, callback, profile)
        if executor_name == "events":
            from rclpy.experimental import EventsExecutor

            executor = EventsExecutor()
        else:
            executor = SingleThreadedExecutor()
        executor.add_node(node)
        before = resource.getrusage(resource.RUSAGE_SELF)
        while not stop.is_set():
            executor.spin_once(timeout_sec=SIGNAL_LATENCY)
        after = resource.getrusage(resource.RUSAGE_SELF)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(json.dumps({"came": came, "cpu": cpu, "faults": after.ru_minflt - before.ru_minflt}))


def ready_message(kind: str, width: int, height: int) -> Any:
    """A message as the live node publishes it."""
    from sensor_msgs.msg import Image, PointCloud2

    from depth_node.inference.pointcloud import LABELLED_CLOUD_DTYPE
    from depth_node.ros.messages import fill_cloud, fill_image

    if kind == "cloud":
        points = np.zeros((height, width), LABELLED_CLOUD_DTYPE)
        return fill_cloud(PointCloud2(), PointCloud2().header, points, is_dense=False)
    if kind == "depth":
        return fill_image(Image(), Image().header, np.ones((height, width), np.float32), "32FC1")
    return fill_image(Image(), Image().header, np.zeros((height, width, 3), np.uint8), "rgb8")


def send(kind: str, width: int, height: int, count: int, rate: float) -> None:
    """Publish at a steady rate; who comes late does not hurry afterwards, as a camera does not."""
    from depth_node.ros.main import ros_context

    with ros_context([]) as stop:
        import rclpy

        from depth_node.ros.qos import output_profile

        node, message = rclpy.create_node("wire_sender"), ready_message(kind, width, height)
        publisher = node.create_publisher(type(message), TOPIC, output_profile(is_small=False))
        while not publisher.get_subscription_count() and not stop.is_set():
            time.sleep(0.05)
        time.sleep(SECONDS_TO_MEET)
        due = time.monotonic()
        for number in range(0 if stop.is_set() else count):
            message.header.frame_id = str(number)
            sec, nanosec = divmod(time.time_ns(), 10**9)
            message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
            publisher.publish(message)
            due = max(due + 1 / rate, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
        time.sleep(TAIL)


def write_bag(path: Path, width: int, height: int, rate: float) -> None:
    """A recorded camera, a second or so long, to be played in a loop."""
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_HUMBLE)
    types = store.types
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        name = "sensor_msgs/msg/Image"
        connection = writer.add_connection(PLAYED_TOPIC, name, typestore=store)
        pixels = np.random.default_rng(0).integers(0, 256, height * width * 3, np.uint8)
        for number in range(PLAYED_PICTURES):
            time_ns = round(number * 1e9 / rate)
            stamp = types["builtin_interfaces/msg/Time"](sec=time_ns // 10**9, nanosec=time_ns % 10**9)
            header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="camera")
            image = types[name](header, height, width, "bgr8", 0, 3 * width, pixels)
            writer.write(connection, time_ns, store.serialize_cdr(image, name))


@dataclass
class Row:
    """One line of the table; delays in ms, `cpu_ms` and `faults` of the subscriber's process for each message."""

    message: str
    megabytes: float
    reliability: str
    profile: str
    subscriber: str
    sent: int
    received: int
    lost: int
    most_in_a_row: int
    median_ms: float
    p95_ms: float
    cpu_ms: float
    faults: float
    longest_pause_ms: float
    load: float

    def line(self) -> str:
        """For people."""
        in_a_row = f" ({self.most_in_a_row} in a row)" if self.lost else ""
        cells = [self.message, f"{self.megabytes:.1f}", self.reliability, self.profile, self.subscriber]
        cells += [str(self.sent), str(self.received), f"{self.lost}{in_a_row}"]
        cells += [f"{value:.1f}" for value in (self.median_ms, self.p95_ms, self.cpu_ms)]
        return f"| {' | '.join([*cells, f'{self.faults:.0f}', f'{self.longest_pause_ms:.0f}', f'{self.load:.1f}'])} |"


HEAD = """\
| message | MB | reliability | Fast DDS | subscriber | sent | received | lost | median ms | p95 | CPU ms | faults \
| longest pause ms | load |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"""


def longest_gap(numbers: Sequence[int]) -> int:
    """Most messages in a row that did not come, between two that did."""
    ordered = sorted(numbers)
    return max((b - a - 1 for a, b in pairwise(ordered)), default=0)


def measure(name: str, reliability: str, profile: str, subscriber: tuple[str, str], args: argparse.Namespace) -> Row:
    """Run one pair of processes."""
    kind, width, height = MESSAGES[name]
    bytes_each = width * height * {"cloud": 20, "depth": 4}.get(kind, 3)
    environment = os.environ | {"ROS_DOMAIN_ID": str(args.domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    sending = environment | PROFILES[profile]
    receiving = sending if kind == "played" else environment | PROFILES["as it comes"]
    topic = PLAYED_TOPIC if kind == "played" else TOPIC
    me = [sys.executable, __file__]
    receiver = subprocess.Popen(
        [*me, "receive", topic, kind, reliability, *subscriber],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=receiving,
        text=True,
    )
    assert receiver.stdout is not None
    if kind == "played":
        sent = play(width, height, reliability, args, sending, receiver.stdout)
    else:
        command = [*me, "send", kind, *map(str, (width, height, args.count, args.rate))]
        subprocess.run(
            command, check=True, env=sending, stderr=subprocess.DEVNULL, timeout=PATIENCE + args.count / args.rate
        )
        sent = args.count
    time.sleep(TAIL)
    receiver.send_signal(signal.SIGINT)
    found = json.loads(receiver.communicate()[0].splitlines()[-1])
    came = found["came"]
    delays = sorted(delay for _, delay, _ in came) or [float("nan")]
    arrivals = sorted(arrival for _, _, arrival in came)
    pauses = [b - a for a, b in pairwise(arrivals)] or [float("nan")]
    number = max(len(came), 1)
    return Row(
        f"{width}x{height} {'labelled cloud' if kind == 'cloud' else kind}",
        bytes_each / 1e6,
        reliability.lower().replace("_", " "),
        profile,
        " ".join(word for word in subscriber if word != "returned"),
        sent,
        len(came),
        sent - len(came),
        longest_gap([number for number, _, _ in came]),
        1e3 * median(delays),
        1e3 * delays[int(0.95 * (len(delays) - 1))],
        1e3 * found["cpu"] / number,
        found["faults"] / number,
        1e3 * max(pauses),
        os.getloadavg()[0],
    )


def play(
    width: int, height: int, reliability: str, args: argparse.Namespace, environment: Mapping[str, str], output: Any
) -> int:
    """Let `depth play` send about as many pictures as wanted; how many it says it did."""
    with tempfile.TemporaryDirectory() as folder:
        bag = Path(folder) / "bag"
        write_bag(bag, width, height, args.rate)
        command = ["play", str(bag), "--loop", "--reliability", reliability.lower()]
        player = subprocess.Popen(
            [sys.executable, "-m", "depth_node.cli.main", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            text=True,
        )
        select.select([output], [], [], PATIENCE)
        time.sleep(args.count / args.rate)
        player.send_signal(signal.SIGINT)
        words = player.communicate()[0].split()
    return int(words[1])  # published N messages on ...


def rows(args: argparse.Namespace) -> Iterator[Row]:
    """All that was asked for."""
    for name in args.messages:
        for reliability in ("BEST_EFFORT", "RELIABLE"):
            for profile in args.profiles:
                for executor in args.executors:
                    for blocks in args.blocks:
                        yield measure(name, reliability, profile, (executor, blocks), args)


def machine() -> str:
    """Processor, cores, load."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    usable = len(os.sched_getaffinity(0))
    return f"{names[0] if names else 'unknown processor'}, {usable} of {os.cpu_count()} cores used"


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=90, help="messages of each kind")
    parser.add_argument("--rate", type=float, default=30.0, help="messages per second")
    parser.add_argument("--messages", nargs="+", choices=MESSAGES, default=list(MESSAGES), help="which")
    parser.add_argument("--profiles", nargs="+", choices=PROFILES, default=list(PROFILES), help="of Fast DDS")
    parser.add_argument("--executors", nargs="+", choices=EXECUTORS, default=["single"], help="of the subscriber")
    blocks = "whether the subscriber's allocator keeps large blocks (depth_node/allocator.py)"
    parser.add_argument("--blocks", nargs="+", choices=("returned", "kept"), default=["returned"], help=blocks)
    parser.add_argument("--domain", type=int, default=97, help="ROS_DOMAIN_ID")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    args = parser.parse_args()
    print(f"{machine()}, {args.rate:g} Hz\n\n{HEAD}")
    found = []
    for row in rows(args):
        found.append(asdict(row))
        print(row.line(), flush=True)
        if args.json:
            args.json.write_text(json.dumps({"machine": machine(), "rate": args.rate, "rows": found}, indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["receive"]:
        receive(*sys.argv[2:])
    elif sys.argv[1:2] == ["send"]:
        send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]), float(sys.argv[6]))
    else:
        main()
