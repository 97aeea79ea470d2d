"""Compare a checkpoint's depth with measured depth by the Eigen protocol and print the seven metrics.

Measured depth is KITTI's depth pictures (proj_depth/groundtruth), lidar scans (velodyne_points) or, with
--ground_truth_dir, the exact depth of a simulated drive that the sequence was recorded from.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jsonargparse import ArgumentParser, Namespace

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.config.evaluation import EvaluationConfig
from depth_node.errors import ConfigError

if TYPE_CHECKING:
    from depth_node.evaluation.evaluate import ComparedFrame, EvaluationFrame
    from depth_node.evaluation.report import FrameResult
    from depth_node.inference.estimator import DepthEstimator


def add_arguments(parser: ArgumentParser) -> None:
    """Flags of `depth evaluate`."""
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint (*.safetensors) to evaluate")
    parser.add_argument("--sequence", type=Path, nargs="+", required=True, help="drives, or roots that hold drives")
    parser.add_argument("--split", type=Path, help="split file naming the frames (monodepth2 format); default all")
    parser.add_argument("--ground_truth_dir", type=Path, help="ground_truth folder of the simulated drive")
    parser.add_argument("--json", type=Path, help="write all numbers, also per frame, to this file")
    parser.add_argument("--pictures", type=Path, help="write image, prediction, truth and error of some frames here")
    parser.add_argument("--store_scale", action="store_true", help="write the median ratio into the checkpoint's scale")
    add_settings(parser, EvaluationConfig)


def run(args: Namespace) -> int:
    """Evaluate, print the table and write what was asked for."""
    from rich.console import Console

    from depth_node.evaluation.evaluate import select_frames
    from depth_node.evaluation.report import DepthReport, describe, metrics_table, write_json
    from depth_node.inference.estimator import DepthEstimator

    config = read_settings(args, EvaluationConfig)
    frames = select_frames(args.sequence, config, args.split, args.ground_truth_dir)
    truth = frames[0].truth
    if args.store_scale and truth.scale_source == "lidar" and config.velodyne_depth == "forward":
        raise ConfigError("--store_scale needs metres from the camera, not from the lidar: add --velodyne_depth camera")
    estimator = DepthEstimator.from_checkpoint(args.checkpoint, config.device, config.precision)
    report = DepthReport.of(_compare_all(args, config, estimator, frames))
    Console().print(metrics_table(report, f"{args.checkpoint.name} against {truth.name}"))
    print(describe(report, config))
    if args.json:
        write_json(args.json, report.record(config, checkpoint=str(args.checkpoint), ground_truth=truth.name))
    if args.store_scale:
        from depth_node.evaluation.scale import store_scale

        scale = store_scale(args.checkpoint, report.median_ratio, truth.scale_source)
        print(f"{args.checkpoint} now gives metres: scale {scale:.5g}, measured on {truth.name}")
    return 0


def _compare_all(
    args: Namespace, config: EvaluationConfig, estimator: DepthEstimator, frames: list[EvaluationFrame]
) -> list[FrameResult]:
    import numpy as np
    from rich.console import Console
    from rich.progress import track

    from depth_node.evaluation.evaluate import compare_frames

    drawn = set(np.linspace(0, len(frames) - 1, config.picture_count).round()) if args.pictures else set()
    compared = compare_frames(estimator, frames, config)
    results = []
    for number, frame in enumerate(track(compared, "evaluating", len(frames), console=Console(stderr=True))):
        results.append(frame.result())
        if number in drawn:
            _draw(args.pictures, frame, config)
    return results


def _draw(folder: Path, frame: ComparedFrame, config: EvaluationConfig) -> None:
    from depth_node.evaluation.pictures import comparison_picture
    from depth_node.inference.picture_files import write_picture

    name = frame.name.replace("/", "_").replace(" ", "_")
    write_picture(folder / f"{name}.png", comparison_picture(frame, config))
