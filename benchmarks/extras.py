# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What confidence, smoothing and the sources of scale cost beside the network, in one run: python benchmarks/extras.py.

Two consecutive pictures of a simulated street are predicted over and over; medians, and shares of the prediction alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from depth_node.bags.reader import BagReader
from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.shipped import DEFAULT
from depth_node.config.street import StreetConfig
from depth_node.inference.estimator import DepthEstimator
from depth_node.scale.depth_frame import DepthFrame
from depth_node.scale.flicker import FlickerFilter
from depth_node.scale.measured_points import scale_of_points
from depth_node.scale.road_height import scale_of_height
from depth_node.scale.triangulation import scale_of_way
from depth_node.simulation.simulate import simulate


def main() -> None:
    """Simulate two pictures, time, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="alternating rounds")
    rounds = parser.parse_args().rounds
    with TemporaryDirectory() as folder:
        simulate(StreetConfig(frames=2, lidar=False, workers=1), Path(folder) / "street")
        with BagReader(Path(folder) / "street/bag") as bag:
            messages = [read.message for read in bag.messages("/camera/image_raw")]
            K = np.array(next(iter(bag.messages("/camera/camera_info"))).message.k).reshape(3, 3)
            images = [np.array(m.data).reshape(m.height, m.width, 3) for m in messages]
    estimator = DepthEstimator.from_checkpoint(located(DEFAULT))
    frames = [frame_of(estimator, image, K, 10**8 * number) for number, image in enumerate(images)]
    points = frames[0].rays(np.argwhere(np.ones((192, 640)))[::2, ::-1].astype(np.float64)) * 10.0
    way = np.eye(4)
    way[2, 3] = -1.0

    def smooth() -> None:
        flicker = FlickerFilter()
        for frame in frames:
            flicker.update(frame)

    timed: dict[str, Callable[[], object]] = {
        "network alone": lambda: estimator.estimate(images[0], K),
        "network with confidence": lambda: estimator.estimate(images[0], K, with_confidence=True),
        "smoothing": smooth,
        "scale from 61,440 lidar points": lambda: scale_of_points(points, np.eye(4), frames[0], 50),
        "scale from odometry": lambda: scale_of_way(frames[0], frames[1], way),
        "scale from a height": lambda: scale_of_height(1.65, frames[0], np.array([0.0, 1.0, 0.0])),
    }
    seconds: dict[str, list[float]] = {name: [] for name in timed}
    order, draw = list(timed.items()), np.random.default_rng(0)
    for _ in range(rounds):
        draw.shuffle(order)  # what ran before leaves threads and caches behind
        for name, call in order:
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    alone = statistics.median(seconds["network alone"])
    print("| | median ms | of the network alone |\n|---|---|---|")
    for name, values in seconds.items():
        print(f"| {name} | {1e3 * statistics.median(values):.1f} | {statistics.median(values) / alone:.2f} |")


def frame_of(estimator: DepthEstimator, image: np.ndarray, K: np.ndarray, stamp_ns: int) -> DepthFrame:
    """A prediction as sources see it."""
    found = estimator.estimate(image, K, sky_infinite=False)
    return DepthFrame.of(found, estimator.classes, stamp_ns=stamp_ns, frame_id="camera")


if __name__ == "__main__":
    main()
