# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What arrives of large messages, best effort and reliable, with Fast DDS as it comes and with the node's profile.

python benchmarks/wire.py [--count N] [--rate HZ]

Two processes on this machine: one publishes N depth images of a size at a rate, the other counts what comes, and how
long after it was sent. Nothing else is measured: no camera, no network.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rclpy.qos import QoSProfile

SIZES = {"640x192 depth": 640 * 192 * 4, "640x192 cloud": 640 * 192 * 20, "1242x375 depth": 1242 * 375 * 4}
SIZES |= {"1080p picture": 1920 * 1080 * 3, "1242x375 cloud": 1242 * 375 * 20}
SECONDS_TO_MEET = 2.0
PROFILES = {"as it comes": {"FASTDDS_BUILTIN_TRANSPORTS": "DEFAULT"}, "the node's": {}}


def receive(reliable: bool, seconds: float) -> None:
    """Print the delays of all that came, as JSON."""
    from rclpy.executors import SingleThreadedExecutor
    from sensor_msgs.msg import Image

    from depth_node.ros.main import ros_context

    with ros_context([]):
        import rclpy

        node, delays = rclpy.create_node("wire_receiver"), []

        def take(message: Image) -> None:
            stamp = message.header.stamp
            delays.append(time.time() - stamp.sec - stamp.nanosec * 1e-9)

        node.create_subscription(Image, "wire", take, profile(reliable))
        executor, end = SingleThreadedExecutor(), time.monotonic() + seconds
        executor.add_node(node)
        while time.monotonic() < end:
            executor.spin_once(timeout_sec=0.1)
        print(json.dumps(delays))


def send(reliable: bool, size: int, count: int, rate: float) -> None:
    """Publish."""
    from sensor_msgs.msg import Image

    from depth_node.ros.main import ros_context

    with ros_context([]):
        import rclpy

        node = rclpy.create_node("wire_sender")
        publisher = node.create_publisher(Image, "wire", profile(reliable))
        while not publisher.get_subscription_count():
            time.sleep(0.05)
        time.sleep(SECONDS_TO_MEET)
        message = Image(height=1, width=size, encoding="8UC1", step=size)
        message.data.frombytes(bytes(size))
        for _ in range(count):
            begin = time.time()
            message.header.stamp.sec, message.header.stamp.nanosec = int(begin), int(begin % 1 * 1e9)
            publisher.publish(message)
            time.sleep(max(0.0, begin + 1 / rate - time.time()))
        time.sleep(1.0)


def profile(reliable: bool) -> QoSProfile:
    """Quality of service of both ends, as of a camera driver."""
    from rclpy.qos import QoSProfile, ReliabilityPolicy

    return QoSProfile(depth=5, reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=90, help="messages of each kind")
    parser.add_argument("--rate", type=float, default=30.0, help="messages per second")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes ran in the last minute\n")
    print("| message | MB | reliability | Fast DDS | arrived | median delay ms |\n|---|---|---|---|---|---|")
    seconds = args.count / args.rate + SECONDS_TO_MEET + 4
    for name, size in SIZES.items():
        for reliable in (False, True):
            for kind, settings in PROFILES.items():
                environment = os.environ | settings | {"ROS_DOMAIN_ID": "97"}
                me = [sys.executable, __file__]
                receiving = [*me, "receive", str(reliable), str(seconds)]
                sending = [*me, "send", *map(str, (reliable, size, args.count, args.rate))]
                receiver = subprocess.Popen(
                    receiving, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
                )
                subprocess.run(sending, check=True, env=environment, stderr=subprocess.DEVNULL)
                delays = json.loads(receiver.communicate()[0].splitlines()[-1])
                how = "reliable" if reliable else "best effort"
                middle = f"{1e3 * median(delays):.1f}" if delays else "-"
                cells = name, f"{size / 1e6:.1f}", how, kind, f"{len(delays)} of {args.count}", middle
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["receive"]:
        receive(sys.argv[2] == "True", float(sys.argv[3]))
    elif sys.argv[1:2] == ["send"]:
        send(sys.argv[2] == "True", int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
    else:
        main()
