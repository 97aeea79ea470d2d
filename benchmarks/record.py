# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How fast the recorder is, against reading and encoding the same pictures with nothing in between.

    python benchmarks/record.py [--pictures FOLDER] [--frames 400] [--rounds 5]

The baseline reads the bag with rosbags and hands every picture to `cv2.imencode` in as many threads as there are cores,
and keeps nothing: no selection, no files, no hashes. The recorder does all its work (`depth record` with default
settings). Both run in turns in one process, and whichever begins changes with every round; the ratio is the median over
the rounds of baseline time / recorder time. Other programs disturb the time on the clock far more than the time of the
processor, so both are given, with the load.
Without a folder of pictures, which are repeated as needed, the bag holds a drive through noise-textured scenery.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from depth_node.allocator import keep_large_blocks
from depth_node.config.record import RecordConfig
from depth_node.kitti.layout import read_image
from depth_node.recording.recorder import record

WIDTH, HEIGHT = 1242, 375
START, STEP = 1_317_038_400_000_000_000, 100_000_000
IMAGE, INFO = "/camera/image_raw", "/camera/camera_info"


def main() -> int:
    """Run and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, help="folder of 1242x375 pictures in order, e.g. image_02/data")
    parser.add_argument("--frames", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--formats", nargs="+", default=["jpg", "png"])
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder by default")
    args = parser.parse_args()
    keep_large_blocks()  # as `depth record` does; the baseline gains from it, too
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        bag = Path(name) / "bag"
        write_bag(bag, pictures(args.pictures, args.frames))
        print(
            f"{args.frames} frames {WIDTH}x{HEIGHT} bgr8, mcap, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        )
        for suffix in args.formats:
            compare(bag, Path(name) / "out", suffix, args)
        print(f"load in the end {os.getloadavg()[0]:.1f}, of which these runs are about {os.cpu_count()}")
    return 0


def compare(bag: Path, output: Path, suffix: str, args: argparse.Namespace) -> None:
    """Time both in turns, the first round for warming up."""
    times: list[tuple[Timing, Timing]] = []
    for number in range(args.rounds + 1):
        # A folder of its own each: file systems are slow to reuse what was deleted just before.
        folder = output / f"{suffix}{number}"
        jobs: list[Callable[[], object]] = [
            partial(read_and_encode, bag, suffix),
            partial(record, [bag], folder, RecordConfig(format=suffix)),
        ]
        order = (0, 1) if number % 2 else (1, 0)
        done = {index: timed(jobs[index]) for index in order}
        if number:
            times.append((done[0], done[1]))
    frames = len(list(folder.glob("*/*/image_02/data/*")))
    shutil.rmtree(output)
    for name in ("clock", "processor"):
        pairs = [(getattr(one, name), getattr(other, name)) for one, other in times]
        ratios = sorted(one / other for one, other in pairs)
        baseline, recorder = (statistics.median(column) / args.frames * 1e3 for column in zip(*pairs, strict=True))
        print(
            f"{suffix} {name}: baseline {baseline:.2f} ms, recorder {recorder:.2f} ms a frame, "
            f"ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )
    if frames != args.frames:
        print(f"  not the same frames: {args.frames - frames} were dropped", file=sys.stderr)


class Timing(NamedTuple):
    """Seconds by the clock, and of processor time of all threads."""

    clock: float
    processor: float


def timed(work: Callable[[], object]) -> Timing:
    """What a call takes."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return Timing(time.perf_counter() - clock, time.process_time() - processor)


def read_and_encode(bag: Path, suffix: str) -> None:
    """The baseline: rosbags in this thread, imencode in one thread per core, with the recorder's settings."""
    config = RecordConfig()
    flags = {
        "jpg": [cv2.IMWRITE_JPEG_QUALITY, config.jpeg_quality],
        "png": [cv2.IMWRITE_PNG_COMPRESSION, config.png_compression],
    }[suffix]
    cores = os.cpu_count() or 1
    pending: deque[Future[object]] = deque()
    with AnyReader([bag]) as reader, ThreadPoolExecutor(cores) as pool:
        connections = [connection for connection in reader.connections if connection.topic == IMAGE]
        for connection, _, raw in reader.messages(connections):
            message: Any = reader.deserialize(raw, connection.msgtype)
            pixels = message.data.reshape(message.height, message.width, 3)
            pending.append(pool.submit(cv2.imencode, f".{suffix}", pixels, flags))
            if len(pending) >= 3 * cores:
                pending.popleft().result()
        for future in pending:
            future.result()


def pictures(folder: Path | None, frames: int) -> list[np.ndarray]:
    """Pictures (375, 1242, 3) BGR; those of a folder go forth and back, so that motion stays natural."""
    if folder is None:
        return [approach(index) for index in range(frames)]
    paths = sorted(path for path in folder.iterdir() if path.suffix in (".png", ".jpg"))
    order = [*paths, *paths[-2:0:-1]]
    loaded = [
        cv2.cvtColor(read_image(path), cv2.COLOR_RGB2BGR) for path in (order * (frames // len(order) + 1))[:frames]
    ]
    return [cv2.resize(image, (WIDTH, HEIGHT)) for image in loaded]


def approach(index: int) -> np.ndarray:
    """A textured wall, nearer with every picture and far again after 40."""
    random = np.random.default_rng(index // 40)
    layers = [
        cv2.resize(random.uniform(0, 255, (n, n, 3)).astype(np.float32), (1600, 1600), interpolation=cv2.INTER_CUBIC)
        for n in (20, 60, 180, 600)
    ]
    wall = np.clip(np.mean(layers, axis=0) * 2 - 128, 0, 255).astype(np.uint8)
    scale = 1.02 ** (index % 40)
    matrix = np.array([[scale, 0, WIDTH / 2 - 800 * scale], [0, scale, HEIGHT / 2 - 800 * scale]])
    return cv2.warpAffine(wall, matrix, (WIDTH, HEIGHT))


def write_bag(folder: Path, images: list[np.ndarray]) -> None:
    """A raw bgr8 camera with its calibration in an uncompressed mcap."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    T = store.types
    K = np.array([721.5, 0, 609.6, 0, 721.5, 172.9, 0, 0, 1.0])
    with Writer(folder, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        topics = {
            topic: writer.add_connection(topic, f"sensor_msgs/msg/{kind}", typestore=store)
            for topic, kind in ((IMAGE, "Image"), (INFO, "CameraInfo"))
        }
        for index, image in enumerate(images):
            stamp_ns = START + index * STEP
            stamp = T["builtin_interfaces/msg/Time"](sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
            header = T["std_msgs/msg/Header"](stamp=stamp, frame_id="camera")
            message = T["sensor_msgs/msg/Image"](
                header=header, height=HEIGHT, width=WIDTH, encoding="bgr8", is_bigendian=0, step=3 * WIDTH,
                data=image.reshape(-1),
            )  # fmt: skip
            roi = T["sensor_msgs/msg/RegionOfInterest"](x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
            info = T["sensor_msgs/msg/CameraInfo"](
                header=header, height=HEIGHT, width=WIDTH, distortion_model="plumb_bob", d=np.zeros(5), k=K,
                r=np.eye(3).ravel(), p=np.zeros(12), binning_x=0, binning_y=0, roi=roi,
            )  # fmt: skip
            for topic, content in ((IMAGE, message), (INFO, info)):
                writer.write(topics[topic], stamp_ns, store.serialize_cdr(content, content.__msgtype__))


if __name__ == "__main__":
    sys.exit(main())
