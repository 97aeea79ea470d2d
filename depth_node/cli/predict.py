# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Write the depth of pictures: a colour picture and a 16-bit depth PNG (metres * 256, 0 unknown or sky).

On request also semantic classes (an 8-bit PNG with class numbers and a picture in colours) and a point cloud. Inputs
are picture files, folders of pictures, or KITTI-style drives as `depth record` writes them. A cloud needs the camera:
a drive brings its own, other pictures need --calibration, or --fov.

Of a video, NAME_depth.mp4 shows the picture and its depth, in the same colours from beginning to end.

Examples:
  depth predict --checkpoint real --output out pictures/ --cloud --fov 65
  depth predict --checkpoint real --output out drive.mp4 --layout depth
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.predict import PredictConfig
from depth_node.errors import CalibrationError, CheckpointError, DepthNodeError, SequenceError

if TYPE_CHECKING:
    from depth_node.camera.calibration import CameraCalibration
    from depth_node.camera.network_view import NetworkView
    from depth_node.inference.estimator import DepthEstimator
    from depth_node.inference.picture_files import PictureFile
    from depth_node.inference.tensor_prediction import TensorPrediction

SAID = 5
"""Pictures left out that are named; the others are counted."""


@dataclass
class Outcome:
    """What came of a prediction.

    Attributes:
        written: what was written, for people.
        skipped: why pictures and videos were left out.
        views: what the network saw of pictures whose camera is known, each once.
    """

    written: list[str] = field(default_factory=list)
    skipped: list[DepthNodeError] = field(default_factory=list)
    views: dict[NetworkView, None] = field(default_factory=dict)


def add_arguments(parser: CommandParser) -> None:
    """Flags of `depth predict`."""
    parser.add_argument("input", type=Path, nargs="+", help="pictures, videos, folders of them or KITTI-style drives")
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint (*.safetensors, or a name) to use")
    parser.add_argument("--output", type=Path, required=True, help="folder for the results")
    parser.add_argument(
        "--calibration", type=Path, help="camera_calibration's YAML, a CameraInfo as YAML, or calib_cam_to_cam.txt"
    )
    add_settings(parser, PredictConfig)


def run(args: Namespace) -> int:
    """Predict every picture and video and write the results."""
    from depth_node.camera.calibration_file import read_camera
    from depth_node.inference.depth_video import split_inputs
    from depth_node.inference.estimator import DepthEstimator
    from depth_node.inference.picture_files import find_pictures

    config = read_settings(args, PredictConfig)
    if config.fov and args.calibration:
        raise CalibrationError(f"--calibration {args.calibration} says what the camera sees: leave --fov out")
    camera = read_camera(args.calibration) if args.calibration else None
    videos, others = split_inputs(args.input)
    pictures = find_pictures(others, camera)
    unknown = [picture.path for picture in pictures if picture.camera is None]
    unknown += videos if camera is None and config.frames else []
    if config.cloud and unknown and not config.fov:
        raise CalibrationError(f"a cloud needs the camera of {unknown[0]}: give --calibration FILE, or --fov")
    estimator = DepthEstimator.from_checkpoint(args.checkpoint, config.device, config.precision, config.fit)
    if config.labels and estimator.classes is None:
        raise CheckpointError(f"{args.checkpoint} has no semantic network: predict without --labels")
    outcome = Outcome()
    write = _writer(args.output, config, estimator)
    if pictures:
        _predict_pictures(pictures, config, estimator, write, outcome)
    for video in videos:
        _predict_video(video, camera, args.output, config, estimator, write, outcome)
    if not outcome.written:
        raise outcome.skipped[0]
    _conclude(args, estimator, outcome)
    return 0


def _writer(output: Path, config: PredictConfig, estimator: DepthEstimator) -> Callable[[str, TensorPrediction], None]:
    """A function that writes all files of one picture."""
    from depth_node.inference.picture_files import write_cloud, write_labels, write_prediction

    def write(name: str, prediction: TensorPrediction) -> None:
        write_prediction(output, name, prediction)
        if config.labels and prediction.labels is not None and estimator.classes is not None:
            write_labels(output, name, prediction.labels.cpu().numpy(), estimator.classes)
        if config.cloud:
            write_cloud(output / f"{name}.ply", prediction, config.max_range)

    return write


def _predict_pictures(
    pictures: Sequence[PictureFile],
    config: PredictConfig,
    estimator: DepthEstimator,
    write: Callable[[str, TensorPrediction], None],
    outcome: Outcome,
) -> None:
    from rich.console import Console
    from rich.progress import track

    from depth_node.inference.picture_files import load_picture

    count = 0
    for picture in track(pictures, "predicting", console=Console(stderr=True)):
        try:
            image, K = load_picture(picture, config.fov)
        except (SequenceError, CalibrationError) as error:
            outcome.skipped.append(error)
            continue
        prediction = estimator.estimate(image, K, config.full_resolution, with_labels=config.labels)
        if K is not None:
            outcome.views[prediction.view] = None
        write(picture.name, prediction)
        count += 1
    if count:
        outcome.written.append(f"{count} pictures")


def _predict_video(
    path: Path,
    camera: CameraCalibration | None,
    output: Path,
    config: PredictConfig,
    estimator: DepthEstimator,
    write: Callable[[str, TensorPrediction], None],
    outcome: Outcome,
) -> None:
    from rich.console import Console
    from rich.progress import track

    from depth_node.bags.video_file import VideoFile
    from depth_node.errors import BagError
    from depth_node.inference.depth_video import RESULT, CameraView, depth_video, video_limits

    try:
        video = VideoFile(path)
        view = CameraView(video, camera, config.fov)
    except (BagError, CalibrationError) as error:
        outcome.skipped.append(error)
        return
    count, target = 0, output / f"{path.stem}{RESULT}.mp4"
    limits = video_limits(video, view, estimator)
    with video, depth_video(target, video.fps, limits, config.layout == "both") as add:
        frames = track(video.read(), f"predicting {path.name}", video.frames or None, console=Console(stderr=True))
        for count, (_, bgr) in enumerate(frames, 1):
            image, K = view.of(bgr)
            prediction = estimator.estimate(
                image, K, config.full_resolution, with_labels=config.frames and config.labels
            )
            if K is not None:
                outcome.views[prediction.view] = None
            add(prediction)
            if config.frames:
                write(f"{path.stem}/{count - 1:010d}", prediction)
    outcome.written.append(f"{target.name} ({count} frames, {limits[0]:.3g} bright to {limits[1]:.3g} dark)")
    if lost := video.missing(count):
        outcome.skipped.append(SequenceError(f"the last {lost} frames of {path}, which is cut off or damaged"))


def _conclude(args: Namespace, estimator: DepthEstimator, outcome: Outcome) -> None:
    """Say what was written, what was left out, and what the numbers mean."""
    known = estimator.info.scale_source != "none"
    unit = "metres" if known else "network units (the checkpoint has no scale: `depth evaluate --store_scale` sets it)"
    print(f"{', '.join(outcome.written)} written to {args.output}, depth in {unit}")
    for view in outcome.views:
        print(f"  {view}")
    camera = estimator.info.camera
    if not outcome.views and camera is not None:
        print(
            f"  the camera is unknown: depth holds for one that sees {camera.degrees:.0f} degrees from side to side; "
            "for another one give --calibration FILE or --fov DEGREES"
        )
    for error in outcome.skipped[:SAID]:
        print(f"  left out: {error}", file=sys.stderr)
    if len(outcome.skipped) > SAID:
        print(f"  left out: {len(outcome.skipped) - SAID} more", file=sys.stderr)
