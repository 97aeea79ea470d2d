# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a frame costs the live node around its network: from the image's bytes to messages at another process.

python benchmarks/messages.py [--frames 100] [--rate 10] [--size 1242 375] [--kinds numpy torch] [--json FILE]

The node's own parts do the work: message to RGB, rectification, `DepthOutputs` with depth image, labelled cloud and
class image. The prediction is ready, so that no network is in the figures. A process of its own subscribes to all
three. Frames are paced, since what comes at once finds warm caches; variants of the allocator are processes of their
own. Each stage is compared with a copy of the bytes that it makes, into memory of its own that is used again. Stages
are in seconds of CPU of the frame's thread, which other programs disturb little; --clock wall takes those of the wall.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

TOPICS = ("depth/image_rect", "depth/points", "semantic/image")
DISTORTION = [-0.3, 0.1, 0.0, 0.0, 0.0]
WARM_UP = 10
CLOCKS = {"cpu": time.thread_time, "wall": time.perf_counter}


def subscribe() -> None:
    """Take all outputs as a viewer would; print the median and p95 of the delay since the image's stamp, ms."""
    from depth_node.ros.main import SIGNAL_LATENCY, ros_context

    with ros_context([]) as stop:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.qos import qos_profile_sensor_data
        from sensor_msgs.msg import Image, PointCloud2

        node = rclpy.create_node("viewer")
        delays: dict[str, list[float]] = {topic: [] for topic in TOPICS}

        def listen(topic: str) -> None:
            def take(message: Any) -> None:
                stamp = message.header.stamp
                delays[topic].append(time.time() - stamp.sec - stamp.nanosec * 1e-9)

            kind = PointCloud2 if topic == "depth/points" else Image
            node.create_subscription(kind, topic, take, qos_profile_sensor_data)

        for topic in TOPICS:
            listen(topic)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        while not stop.is_set():
            executor.spin_once(timeout_sec=SIGNAL_LATENCY)
        print(json.dumps(delays))


def prediction(kind: str, width: int, height: int, K: Any) -> Any:
    """What a network would have given for a picture of this size."""
    from depth_node.camera.network_view import view_of

    random = np.random.default_rng(0)
    depth = random.uniform(2, 60, (height, width)).astype(np.float32)
    image = random.integers(0, 256, (height, width, 3), np.uint8)
    valid = np.ones((height, width), bool)
    labels = random.integers(0, 19, (height, width), np.uint8)
    view = view_of((height, width), (192, 640), K)
    if kind == "numpy":
        from depth_node.inference.array_prediction import ArrayPrediction

        return ArrayPrediction(depth, valid, image, K, view, labels)
    import torch

    from depth_node.inference.tensor_prediction import TensorPrediction

    tensors = torch.from_numpy(depth), torch.from_numpy(valid), torch.from_numpy(image)
    return TensorPrediction(*tensors, K, view, torch.from_numpy(labels))


def work(kind: str, blocks: str, clock: str, width: int, height: int, frames: int, rate: float) -> None:
    """The node's part; prints what each frame took, as JSON."""
    from depth_node.allocator import keep_large_blocks
    from depth_node.ros.main import ros_context
    from depth_node.ros.surroundings import share_cores

    share_cores()
    if blocks == "kept":
        keep_large_blocks()
    with ros_context([]) as stop:
        worker = Worker(kind, CLOCKS[clock], width, height)
        while not worker.is_watched() and not stop.is_set():
            time.sleep(0.1)
        found, faults = [], 0
        for number in range(-WARM_UP, frames):
            if stop.is_set():
                break
            begin, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
            times = worker.frame()
            after = resource.getrusage(resource.RUSAGE_SELF)
            times["CPU of all"] = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            if number >= 0:
                found.append(times)
                faults += after.ru_minflt - before.ru_minflt
            time.sleep(max(0.0, begin + 1 / rate - time.monotonic()))
        print(json.dumps({"times": found, "faults": faults / frames, "floor": copies(width * height)}))


class Worker:
    """The live node without its network, as `CameraStream` and `FrameWorker` go through it."""

    def __init__(self, kind: str, clock: Callable[[], float], width: int, height: int) -> None:
        """Advertise, and make ready what would come from elsewhere."""
        import rclpy
        from rclpy.serialization import serialize_message
        from sensor_msgs.msg import Image

        from depth_node.camera.calibration import CameraCalibration
        from depth_node.camera.rectification import Rectifier
        from depth_node.config.classes import CITYSCAPES
        from depth_node.config.live import NodeConfig
        from depth_node.ros.live import outputs
        from depth_node.ros.messages import fill_image, pinhole_info

        vars(outputs)["perf_counter"] = clock  # its stages by the clock that is asked for
        self._clock, self._config, self._node = clock, NodeConfig(), rclpy.create_node("bench")
        self._outputs = outputs.DepthOutputs(self._node, CITYSCAPES)
        K = np.array([[0.58 * width, 0, width / 2], [0, 0.58 * width, height / 2], [0, 0, 1]])
        info = pinhole_info(Image().header, K, width, height)
        info.d = DISTORTION
        self._rectifier = Rectifier(CameraCalibration.from_camera_info(info))
        pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        self._raw = serialize_message(fill_image(Image(), Image().header, pixels, "bgr8"))
        self._ready = prediction(kind, width, height, K)

    def is_watched(self) -> bool:
        """Whether the viewer is there."""
        return self._outputs.wanted() >= set(TOPICS)

    def frame(self) -> dict[str, float]:
        """One picture from its bytes to its messages; seconds per stage."""
        from rclpy.serialization import deserialize_message
        from sensor_msgs.msg import Image

        from depth_node.ros.messages import rgb_of

        start = self._clock()
        message = deserialize_message(self._raw, Image)
        called = self._clock()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(time.time_ns(), 10**9)
        picture = rgb_of(message)
        decoded = self._clock()
        self._rectifier(picture)
        rectified = self._clock()
        self._outputs.publish(set(TOPICS), self._ready, message.header, self._config, np.zeros(3))
        times = {"receive": called - start, "decode": decoded - called, "rectify": rectified - decoded}
        return times | self._outputs.timings | {"callback to published": self._clock() - called}


def copies(pixels: int) -> dict[str, float]:
    """Seconds that a copy of each stage's bytes takes, median of 21."""
    sizes = {"receive": 3, "decode": 3, "rectify": 3, "image_rect": 4, "points": 20, "cloud": 20, "semantic images": 1}
    sizes["callback to published"] = 3 + 3 + 4 + 20 + 1
    found = {}
    for stage, each in sizes.items():
        source, target = np.ones(pixels * each, np.uint8), np.ones(pixels * each, np.uint8)
        times = []
        for _ in range(21):
            start = time.thread_time()
            np.copyto(target, source)
            times.append(time.thread_time() - start)
        found[stage] = median(times)
    return found


def measure(kind: str, blocks: str, args: argparse.Namespace) -> dict[str, Any]:
    """Run a pair of processes."""
    environment = os.environ | {"ROS_DOMAIN_ID": str(args.domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    quiet: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "env": environment, "text": True}
    me = [sys.executable, __file__]
    viewer = subprocess.Popen([*me, "subscribe"], **quiet)
    try:
        command = [*me, "work", kind, blocks, args.clock, *map(str, (*args.size, args.frames, args.rate))]
        worker = subprocess.run(command, check=True, timeout=120 + args.frames / args.rate, **quiet)
    finally:
        time.sleep(1.0)
        viewer.send_signal(signal.SIGINT)
        delays = json.loads(viewer.communicate()[0].splitlines()[-1])
    found: dict[str, Any] = json.loads(worker.stdout.splitlines()[-1])
    return found | {"delays": delays, "kind": kind, "blocks": blocks, "load": os.getloadavg()[0]}


def report(found: dict[str, Any]) -> None:
    """One table for people."""
    print(
        f"\n{found['kind']}, blocks {found['blocks']}, load {found['load']:.1f}: {found['faults']:.0f} page faults each"
    )
    print("| stage | median ms | p95 | x copy |\n|---|---|---|---|")
    stages = {stage: [times[stage] for times in found["times"]] for stage in found["times"][0]}
    for stage, values in (stages | {f"at the viewer, {name}": of for name, of in found["delays"].items()}).items():
        times = sorted(values) or [float("nan")]
        floor = found["floor"].get(stage)
        ratio = f"{median(times) / floor:.1f}" if floor else ""
        print(f"| {stage} | {1e3 * median(times):.2f} | {1e3 * times[int(0.95 * len(times))]:.2f} | {ratio} |")


def main() -> None:
    """Print a table for each variant."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100, help="of each variant")
    parser.add_argument("--rate", type=float, default=10.0, help="frames per second")
    parser.add_argument("--size", type=int, nargs=2, default=(1242, 375), help="columns and rows of the picture")
    parser.add_argument("--kinds", nargs="+", choices=("numpy", "torch"), default=["numpy"], help="of prediction")
    blocks = "whether the allocator keeps large blocks (depth_node/allocator.py)"
    parser.add_argument("--blocks", nargs="+", choices=("returned", "kept"), default=["returned", "kept"], help=blocks)
    parser.add_argument("--clock", choices=CLOCKS, default="cpu", help="of the stages")
    parser.add_argument("--domain", type=int, default=95, help="ROS_DOMAIN_ID")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    args = parser.parse_args()
    all_found = []
    for kind in args.kinds:
        for blocks in args.blocks:
            all_found.append(measure(kind, blocks, args))
            report(all_found[-1])
    if args.json:
        args.json.write_text(json.dumps(all_found))


if __name__ == "__main__":
    if sys.argv[1:2] == ["subscribe"]:
        subscribe()
    elif sys.argv[1:2] == ["work"]:
        kind, blocks, clock, *sizes, rate = sys.argv[2:]
        work(kind, blocks, clock, int(sizes[0]), int(sizes[1]), int(sizes[2]), float(rate))
    else:
        main()
