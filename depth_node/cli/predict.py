# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Write the depth of pictures: a colour picture and a 16-bit depth PNG (metres * 256, 0 unknown or sky).

On request also semantic classes (an 8-bit PNG with class numbers and a picture in colours) and a point cloud. Inputs
are picture files, folders of pictures, or KITTI-style drives as `depth record` writes them. A cloud needs the camera:
a drive brings its own, other pictures need --calibration.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.predict import PredictConfig
from depth_node.errors import CalibrationError, CheckpointError, DepthNodeError, SequenceError

if TYPE_CHECKING:
    from depth_node.camera.network_view import NetworkView
    from depth_node.inference.estimator import DepthEstimator

SAID = 5
"""Pictures left out that are named; the others are counted."""


def add_arguments(parser: CommandParser) -> None:
    """Flags of `depth predict`."""
    parser.add_argument("input", type=Path, nargs="+", help="pictures, folders of pictures or KITTI-style drives")
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint (*.safetensors, or a name) to use")
    parser.add_argument("--output", type=Path, required=True, help="folder for the results")
    parser.add_argument(
        "--calibration", type=Path, help="camera_calibration's YAML, a CameraInfo as YAML, or calib_cam_to_cam.txt"
    )
    add_settings(parser, PredictConfig)


def run(args: Namespace) -> int:
    """Predict every picture and write the results."""
    from rich.console import Console
    from rich.progress import track

    from depth_node.camera.calibration_file import read_camera
    from depth_node.inference.estimator import DepthEstimator
    from depth_node.inference.picture_files import (
        find_pictures,
        load_picture,
        write_cloud,
        write_labels,
        write_prediction,
    )

    config = read_settings(args, PredictConfig)
    pictures = find_pictures(args.input, read_camera(args.calibration) if args.calibration else None)
    unknown = [picture.path for picture in pictures if picture.camera is None]
    if config.cloud and unknown:
        raise CalibrationError(f"a cloud needs the camera of {unknown[0]}: give --calibration FILE")
    estimator = DepthEstimator.from_checkpoint(args.checkpoint, config.device, config.precision, config.fit)
    if config.labels and estimator.classes is None:
        raise CheckpointError(f"{args.checkpoint} has no semantic network: predict without --labels")
    skipped: list[DepthNodeError] = []
    views: dict[NetworkView, None] = {}
    for picture in track(pictures, "predicting", console=Console(stderr=True)):
        try:
            image, K = load_picture(picture)
        except (SequenceError, CalibrationError) as error:
            skipped.append(error)
            continue
        prediction = estimator.estimate(image, K, config.full_resolution, with_labels=config.labels)
        if K is not None:
            views[prediction.view] = None
        write_prediction(args.output, picture.name, prediction)
        if config.labels and prediction.labels is not None and estimator.classes is not None:
            write_labels(args.output, picture.name, prediction.labels.cpu().numpy(), estimator.classes)
        if config.cloud:
            write_cloud(args.output / f"{picture.name}.ply", prediction, config.max_range)
    if len(skipped) == len(pictures):
        raise skipped[0]
    _conclude(args, estimator, list(views), len(pictures), skipped)
    return 0


def _conclude(
    args: Namespace,
    estimator: DepthEstimator,
    views: Sequence[NetworkView],
    pictures: int,
    skipped: Sequence[Exception],
) -> None:
    """Say what was written, what was left out, and what the numbers mean."""
    known = estimator.info.scale_source != "none"
    unit = "metres" if known else "network units (the checkpoint has no scale: `depth evaluate --store_scale` sets it)"
    print(f"{pictures - len(skipped)} pictures written to {args.output}, depth in {unit}")
    for view in views:
        print(f"  {view}")
    camera = estimator.info.camera
    if not views and camera is not None:
        print(
            f"  the camera is unknown: depth holds for one that sees {camera.degrees:.0f} degrees from side to side; "
            "for another one give --calibration FILE"
        )
    for error in skipped[:SAID]:
        print(f"  left out: {error}", file=sys.stderr)
    if len(skipped) > SAID:
        print(f"  left out: {len(skipped) - SAID} more", file=sys.stderr)
