# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every source of scale in every situation, against exact depth.

python experiments/scale_sources.py FOLDER

Drives are simulated into FOLDER (once), predicted, and their sensors fed to the scale estimator at the times at which a
node would hear them, beginning with a guess that is 40 % too large. The error is that of the published depth: the
median ratio of a picture's depth to exact depth (up to 60 m), less 1. A table goes to FOLDER/scale.md.
"""

from __future__ import annotations

import argparse
import math
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.bags.reader import BagReader
from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.shipped import DEFAULT
from depth_node.inference.estimator import DepthEstimator
from depth_node.scale.depth_frame import DepthFrame, Matrix, NoReading
from depth_node.scale.flicker import FlickerFilter
from depth_node.scale.measured_points import LEAST_CLOUD_POINTS, LEAST_SCAN_POINTS
from depth_node.scale.scale_estimator import ScaleEstimator
from depth_node.scale.sources import CloudSource, HeightSource, OdometrySource, RangeSource, Source
from depth_node.sensing.point_cloud import read_cloud
from depth_node.sensing.transform_tree import TransformTree, add_transforms, rigid

CAMERA, HEIGHT = "camera_optical_frame", 1.65
GUESS = 1.4
SETTLE = 3.0
SCANNER_HEIGHT = 0.6
DRIVES: dict[str, list[str]] = {
    "straight": ["--curvature", "0", "--weave", "0"],
    "curves": ["--curvature", "1.5", "--weave", "1", "--weave_length", "40"],
    "stop and go": ["--speed", "3", "--speed_variation", "3"],
    "behind a car": ["--lead_gap", "9", "--speed", "6"],
    "suburb": ["--surroundings", "suburb"],
    "over hills of 7 %": ["--slope", "0.07", "--slope_length", "120"],
}
SOURCES = ("lidar", "scan", "range", "odometry", "camera_height", "auto")


@dataclass(frozen=True)
class Drive:
    """Predictions of a drive with all that its sensors said, by stamp."""

    frames: list[DepthFrame]
    truths: list[NDArray[np.float32]]
    clouds: dict[int, NDArray[np.float32]]
    poses: list[tuple[int, Any]]
    mounts: TransformTree

    def mount(self, target: str, source: str) -> Matrix:
        """T_target_source, as a node finds it."""
        found = self.mounts.find(target, source)
        if found is None:
            raise NoReading(self.mounts.problem(target, source))
        return found


def load(folder: Path, estimator: DepthEstimator) -> Drive:
    """Predict every picture of a simulated drive."""
    frames: list[DepthFrame] = []
    clouds, poses, mounts = {}, [], TransformTree("TF")
    K = np.eye(3)
    with BagReader(folder / "bag") as bag:
        for read in bag.messages([topic.name for topic in bag.topics]):
            message = read.message
            stamp = 0 if read.topic in ("/tf_static", "/tf") else stamp_of(message)
            if read.topic == "/camera/camera_info":
                K = np.array(message.k).reshape(3, 3)
            elif read.topic == "/tf_static":
                add_transforms(mounts, message.transforms)
            elif read.topic == "/lidar/points":
                clouds[stamp] = read_cloud(message)
            elif read.topic == "/odom":
                poses.append((stamp, message))
    # On the bumper, looking ahead.
    for name in ("scanner", "sonar"):
        mounts.add("base_link", name, rigid(np.eye(3), [3.7, 0.0, SCANNER_HEIGHT]))
    with BagReader(folder / "bag") as bag:
        for read in bag.messages("/camera/image_raw"):
            message = read.message
            pixels = np.array(message.data).reshape(message.height, message.width, 3)
            frames.append(predict(estimator, pixels, K, stamp_of(message)))
    paths = sorted((folder / "ground_truth" / "depth").glob("*.tiff"))
    truths = [np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), np.float32) for path in paths]
    return Drive(frames, truths, clouds, poses, mounts)


def stamp_of(message: Any) -> int:
    """Stamp of a recorded message, ns."""
    return int(message.header.stamp.sec) * 10**9 + int(message.header.stamp.nanosec)


def predict(estimator: DepthEstimator, pixels: NDArray[np.uint8], K: Matrix, stamp_ns: int) -> DepthFrame:
    """A picture's depth in network units."""
    found = estimator.estimate(pixels, K)
    return DepthFrame.of(found, estimator.classes, estimator.scale, stamp_ns, CAMERA)


def scan_of(drive: Drive, number: int) -> Matrix:
    """What a flat scanner on the bumper measures: exact depth in its plane, (N, 3) in its frame."""
    frame, truth = drive.frames[number], drive.truths[number]
    T = drive.mount("scanner", CAMERA)
    points = points_of(frame, truth) @ T[:3, :3].T + T[:3, 3]
    return np.asarray(points[np.abs(points[:, 2]) < 0.04], np.float64)


def range_of(drive: Drive, number: int, field_of_view: float) -> float:
    """What a sonar on the bumper measures: the nearest of exact depth in its cone that is not the road."""
    frame, truth = drive.frames[number], drive.truths[number]
    T = drive.mount("sonar", CAMERA)
    points = points_of(frame, truth) @ T[:3, :3].T + T[:3, 3]
    away = np.linalg.norm(points, axis=1)
    inside = (points[:, 0] > away * math.cos(field_of_view / 2)) & (points[:, 2] > 0.1 - SCANNER_HEIGHT)
    return float(away[inside].min()) if inside.any() else math.inf


def points_of(frame: DepthFrame, truth: NDArray[np.float32]) -> Matrix:
    """(N, 3) points of exact depth in the camera's frame."""
    y, x = np.nonzero(np.isfinite(truth))
    return frame.rays(np.stack([x, y], axis=1)) * truth[y, x, None]


Change = Callable[[str, float], float]
"""What a situation does to a source that says something at a time (s): a factor on its metres, NaN for silence."""


def steady(_source: str, _time: float) -> float:
    """Nothing out of the ordinary."""
    return 1.0


def liar(_source: str, time: float) -> float:
    """Twice the metres for a second."""
    return 2.0 if 6.0 <= time < 7.0 else 1.0


def blinded(source: str, time: float) -> float:
    """The best source is silent for four seconds."""
    return math.nan if source == "lidar" and 5.0 <= time < 9.0 else 1.0


def run(drive: Drive, wanted: str, change: Change) -> list[float]:
    """Logarithm of the error of every picture's scale."""
    holder: list[ScaleEstimator] = []
    made: dict[str, Source] = {
        "lidar": CloudSource(drive.mount, "lidar", LEAST_CLOUD_POINTS),
        "scan": CloudSource(drive.mount, "laser scanner", LEAST_SCAN_POINTS),
        "range": RangeSource(drive.mount, lambda: holder[0].scale),
        "odometry": OdometrySource(drive.mount),
        "camera_height": HeightSource(drive.mount, HEIGHT, ""),
    }
    sources = made if wanted == "auto" else {wanted: made[wanted]}
    estimator = ScaleEstimator(sources, GUESS * 15.0, "guess")
    holder.append(estimator)
    flicker, errors, poses = FlickerFilter(), [], list(drive.poses)
    start = drive.frames[0].stamp_ns
    for number, frame in enumerate(drive.frames):
        now = (frame.stamp_ns - start) * 1e-9
        while poses and poses[0][0] <= frame.stamp_ns + 20_000_000:
            feed_odometry(sources, poses.pop(0), start, change)
        feed(drive, sources, number, change, now)
        factor = flicker.update(frame)
        estimator.observe(frame.times(factor), now)
        errors.append(error_of(frame, drive.truths[number], estimator.state(now).scale * factor))
    return errors


def feed(drive: Drive, sources: dict[str, Source], number: int, change: Change, now: float) -> None:
    """Give the sources what their sensors measure with a picture."""
    frame = drive.frames[number]
    for name, source in sources.items():
        factor = change(name, now)
        if math.isnan(factor):
            continue
        if isinstance(source, CloudSource):
            points = drive.clouds[frame.stamp_ns][:, :3] if name == "lidar" else scan_of(drive, number)
            sensor = "lidar" if name == "lidar" else "scanner"
            source.add(frame.stamp_ns, sensor, lambda scaled=factor * points: scaled)  # type: ignore[misc]
        elif isinstance(source, RangeSource):
            distance = factor * range_of(drive, number, 0.15)
            if 0.2 < distance < 30.0:
                source.add(frame.stamp_ns, "sonar", distance, 0.15, True)


def feed_odometry(sources: dict[str, Source], pose: tuple[int, Any], start: int, change: Change) -> None:
    """Give odometry a pose; a lie stretches the way from the origin on."""
    source, (stamp, message) = sources.get("odometry"), pose
    factor = change("odometry", (stamp - start) * 1e-9)
    if isinstance(source, OdometrySource) and not math.isnan(factor):
        p, q = message.pose.pose.position, message.pose.pose.orientation
        moved = SimpleNamespace(x=factor * p.x, y=factor * p.y, z=factor * p.z)
        posed = SimpleNamespace(pose=SimpleNamespace(position=moved, orientation=q))
        source.add(stamp, SimpleNamespace(child_frame_id=message.child_frame_id, pose=posed))


def error_of(frame: DepthFrame, truth: NDArray[np.float32], scale: float) -> float:
    """Logarithm of predicted over exact depth, the median of a picture."""
    counts = np.isfinite(truth) & (truth < 60.0) & np.isfinite(frame.depth)
    return float(np.median(np.log(scale * frame.depth[counts] / truth[counts])))


def summary(drive: Drive, errors: Sequence[float]) -> str:
    """Error after three seconds: of the median picture, and what 95 % of the pictures stay within."""
    start = drive.frames[0].stamp_ns
    times = np.array([(frame.stamp_ns - start) * 1e-9 for frame in drive.frames])
    late = np.array(errors)[times >= SETTLE]
    return f"{100 * np.median(late):+.1f}, {100 * np.percentile(np.abs(late), 95):.1f}"


def standing(drive: Drive, seconds: float = 8.0) -> Drive:
    """The drive, then its last picture over and over: the car has stopped."""
    last, more = drive.frames[-1], round(seconds * 10)
    stamps = [last.stamp_ns + (number + 1) * 100_000_000 for number in range(more)]
    frames = drive.frames + [replace(last, stamp_ns=stamp) for stamp in stamps]
    clouds = drive.clouds | dict.fromkeys(stamps, drive.clouds[last.stamp_ns])
    poses = drive.poses + [(stamp, drive.poses[-1][1]) for stamp in stamps]
    return Drive(frames, drive.truths + [drive.truths[-1]] * more, clouds, poses, drive.mounts)


def main() -> None:
    """Simulate, predict, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where drives are simulated and the table goes")
    shipped = located(DEFAULT)
    parser.add_argument("--checkpoint", default=shipped, help="the checkpoint that predicts; the shipped one")
    parser.add_argument("--frames", default="120", help="pictures of a drive, 10 per second")
    parser.add_argument("--drives", nargs="+", choices=list(DRIVES), default=list(DRIVES), help="only these")
    args = parser.parse_args()
    estimator = DepthEstimator.from_checkpoint(args.checkpoint)
    drives: dict[str, Drive] = {}
    for seed, (name, options) in enumerate(DRIVES.items(), 241):
        if name not in args.drives:
            continue
        folder = args.folder / str(seed)
        if not (folder / "bag" / "metadata.yaml").is_file():
            command = ["depth", "simulate", "--output", str(folder), "--seed", str(seed), "--frames", args.frames]
            subprocess.run([*command, *options], check=True)
        drives[name] = load(folder, estimator)
    situations: dict[str, tuple[Drive, Change]] = {name: (drive, steady) for name, drive in drives.items()}
    if "straight" in drives:
        situations["a lie of 2x for 1 s"] = (drives["straight"], liar)
        situations["lidar blind for 4 s"] = (drives["straight"], blinded)
    if "curves" in drives:
        situations["stands for 8 s"] = (standing(drives["curves"]), steady)
    lines = [f"| situation | {' | '.join(SOURCES)} |", f"|---|{'---|' * len(SOURCES)}"]
    for name, (drive, change) in situations.items():
        cells = [summary(drive, run(drive, source, change)) for source in SOURCES]
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    (args.folder / "scale.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
