# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Compare the depth of checkpoints with measured depth by the Eigen protocol and print the seven metrics.

Measured depth is KITTI's depth pictures (proj_depth/groundtruth), lidar scans (velodyne_points) or, with
--ground_truth_dir, the exact depth of the simulated drives that the sequences were recorded from. Where a drive has
semantic labels (semantic/image_02, or those of the simulation), metrics per class come with it.

  depth evaluate --checkpoint a.safetensors b.safetensors --sequence KITTI --split test.txt --table --json all.json
  depth evaluate --checkpoint a.safetensors --sequence r1 r2 --ground_truth_dir s1/ground_truth s2/ground_truth
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.evaluation import EvaluationConfig
from depth_node.distributed import gather, is_first, join, my_share
from depth_node.errors import ConfigError

if TYPE_CHECKING:
    from depth_node.evaluation.evaluate import ComparedFrame, EvaluationFrame
    from depth_node.evaluation.report import DepthReport, EvaluatedCheckpoint
    from depth_node.inference.estimator import DepthEstimator

WIDEST = 240
"""Columns that a table may take: a number cut in two is worse than a line that the terminal breaks."""


def add_arguments(parser: CommandParser) -> None:
    """Flags of `depth evaluate`."""
    parser.add_argument(
        "--checkpoint",
        type=Path,
        nargs="+",
        action="extend",
        required=True,
        help="checkpoints (*.safetensors, or names) to evaluate, a row each",
    )
    parser.add_argument(
        "--sequence", type=Path, nargs="+", action="extend", required=True, help="drives, or roots that hold drives"
    )
    parser.add_argument("--split", type=Path, help="split file naming the frames (monodepth2 format); default all")
    parser.add_argument(
        "--ground_truth_dir",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        help="ground_truth folders of the simulated drives, one per drive in the same order, or a root that holds them",
    )
    parser.add_argument("--per_class", action="store_true", help="also print a table per semantic class")
    parser.add_argument("--per_range", action="store_true", help="also print a table per range of measured depth")
    parser.add_argument("--table", action="store_true", help="also print the papers' results on KITTI, ours below them")
    parser.add_argument("--json", type=Path, help="write all numbers, also per class, range and frame, to this file")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file")
    parser.add_argument("--pictures", type=Path, help="write image, prediction, truth and error of some frames here")
    parser.add_argument(
        "--steadiness",
        action="store_true",
        help="measure how steady depth is from picture to picture instead; needs no measured depth",
    )
    parser.add_argument(
        "--poses",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        help="pose files for --steadiness, one per drive (KITTI's odometry format); without, pictures tell the motion",
    )
    parser.add_argument("--store_scale", action="store_true", help="write the median ratio into the checkpoint's scale")
    add_settings(parser, EvaluationConfig)


def run(args: Namespace) -> int:
    """Evaluate as the flags say."""
    if args.poses and not args.steadiness:
        raise ConfigError("--poses goes with --steadiness")
    return (_steadiness if args.steadiness else _accuracy)(args)


def _accuracy(args: Namespace) -> int:
    """Compare with measured depth, print the tables and write what was asked for."""
    from depth_node.atomic_file import check_replaceable
    from depth_node.checkpoints.depth import read_info
    from depth_node.evaluation.evaluate import measured_on, other_truth, select_frames
    from depth_node.evaluation.flip_prediction import open_estimator
    from depth_node.evaluation.report import EvaluatedCheckpoint, write_json
    from depth_node.evaluation.tables import distinct_names

    config = read_settings(args, EvaluationConfig)
    in_metres = args.store_scale and config.velodyne_depth == "auto"
    config = replace(config, velodyne_depth="camera") if in_metres else config
    _check_own(args.checkpoint if args.store_scale else [])
    if len({path.resolve() for path in args.checkpoint}) < len(args.checkpoint):
        raise ConfigError("--checkpoint names a file twice: name each once")
    frames = select_frames(args.sequence, config, args.split, args.ground_truth_dir)
    about = measured_on(frames)
    if args.per_class and not about["labels"]:
        raise ConfigError("--per_class needs labels: semantic/image_02/*.png, or those of a simulation")
    from_lidar = any(frame.truth.scale_source == "lidar" for frame in frames)
    if args.store_scale and from_lidar and config.velodyne_depth == "forward":
        raise ConfigError("--store_scale needs metres from the camera, not from the lidar: add --velodyne_depth camera")
    for path in args.checkpoint:
        read_info(path)  # before the first one has taken its time
    for path in (args.json, args.markdown, *(args.checkpoint if args.store_scale else [])):
        if path:
            check_replaceable(path)
    join()
    evaluated = []
    for name, path in zip(distinct_names(args.checkpoint), args.checkpoint, strict=True):
        estimator = open_estimator(path, config)
        pictures = args.pictures
        if pictures and len(args.checkpoint) > 1:
            pictures = pictures / name.replace("/", "_")
        report = _evaluate(estimator, frames, config, name, pictures)
        network = estimator.info.network
        if report:
            evaluated.append(EvaluatedCheckpoint(name, path, f"{network.width}x{network.height}", report))
    if not is_first():
        return 0
    _show(args, config, evaluated, about, other_truth(frames, config))
    if args.json:
        write_json(args.json, {"checkpoints": [each.record(config, **about) for each in evaluated]})
    if args.store_scale:
        _store_scales(evaluated, frames[0])
    return 0


def _check_own(checkpoints: Sequence[Path]) -> None:
    """Raise ConfigError where one goes by a name: what is shipped or cached stays as it is."""
    from depth_node.checkpoints.by_name import is_name

    for name in filter(is_name, checkpoints):
        raise ConfigError(
            f"--store_scale writes into the file, and {name} stays as it is: give it a copy, made by "
            f"`depth export {name} --output FILE.safetensors`"
        )


def _steadiness(args: Namespace) -> int:
    """Measure flicker and consistency of whole drives, print the table and write what was asked for."""
    from dataclasses import asdict

    from rich.console import Console
    from rich.progress import track

    from depth_node.evaluation.flip_prediction import open_estimator
    from depth_node.evaluation.report import write_json
    from depth_node.evaluation.steadiness import measure_steadiness, predict_frames, read_poses, steadiness_table
    from depth_node.evaluation.tables import distinct_names, write_markdown
    from depth_node.kitti.search import find_all_sequences

    config, drives = read_settings(args, EvaluationConfig), list(find_all_sequences(args.sequence))
    if args.poses and len(args.poses) != len(drives):
        raise ConfigError(f"--poses names {len(args.poses)} files for {len(drives)} drives: one each, in their order")
    given = [read_poses(path) for path in args.poses]
    rows = []
    for name, path in zip(distinct_names(args.checkpoint), args.checkpoint, strict=True):
        estimator = open_estimator(path, config)
        for number, drive in enumerate(drives):
            poses = given[number] if given else None
            shown = track(predict_frames(estimator, drive), f"{name}", len(drive), console=Console(stderr=True))
            rows.append(
                (f"{name} {drive.day.parent.name}/{drive.location.name}", *measure_steadiness(list(shown), poses))
            )
    table = steadiness_table(rows, bool(args.poses))
    Console(width=max(Console().width, WIDEST)).print(table.rich())
    if args.json:
        record = [{"name": row[0], "as_predicted": asdict(row[1]), "smoothed": asdict(row[2])} for row in rows]
        write_json(args.json, {"steadiness": record})
    if args.markdown:
        write_markdown(args.markdown, [table], [])
    return 0


def _evaluate(
    estimator: DepthEstimator, frames: list[EvaluationFrame], config: EvaluationConfig, name: str, pictures: Path | None
) -> DepthReport | None:
    """Evaluate this process's share of the frames; the report on all of them in the first process, None in others."""
    import numpy as np
    from rich.console import Console
    from rich.progress import track

    from depth_node.evaluation.evaluate import compare_frames
    from depth_node.evaluation.report import DepthReport

    drawn = set(np.linspace(0, len(frames) - 1, config.picture_count).round()) if pictures else set()
    numbers, share = my_share(range(len(frames))), my_share(frames)
    compared = compare_frames(estimator, share, config)
    shown = track(compared, f"evaluating {name}", len(share), console=Console(stderr=True))
    results = []
    for number, frame in zip(numbers, shown, strict=True):
        results.append(frame.result(config) if frame else None)
        if frame and pictures and number in drawn:
            _draw(pictures, frame, config)
    joined = gather(results)
    return None if joined is None else DepthReport.of(joined)


def _draw(folder: Path, frame: ComparedFrame, config: EvaluationConfig) -> None:
    from depth_node.evaluation.comparison_picture import comparison_picture
    from depth_node.image_file import write_image

    name = frame.name.replace("/", "_").replace(" ", "_")
    write_image(folder / f"{name}.png", comparison_picture(frame, config))


def _show(
    args: Namespace, config: EvaluationConfig, evaluated: list[EvaluatedCheckpoint], about: dict[str, str], note: str
) -> None:
    """Print what was asked for; the markdown file gets the tables per class and range in any case."""
    from rich.console import Console

    from depth_node.evaluation import tables
    from depth_node.evaluation.report import notes

    truth = about["ground_truth"]
    main = [tables.metrics_table(evaluated, config, f"against {truth}")]
    per_class = [tables.class_table(evaluated, config)] if about["labels"] else []
    per_range = [tables.range_table(evaluated, config)]
    papers = tables.published_tables(evaluated, truth) if args.table else []
    shown = [*main, *(per_class if args.per_class else []), *(per_range if args.per_range else []), *papers]
    console = Console(width=max(Console().width, WIDEST))
    for table in shown:
        console.print(table.rich())
    lines = [*notes(evaluated, config), *([note] if note else [])]
    if args.table:
        lines.append(tables.comparability(evaluated, config, truth))
    print("\n".join(lines))
    if args.markdown:
        tables.write_markdown(args.markdown, [*main, *per_class, *per_range, *papers], lines)


def _store_scales(evaluated: list[EvaluatedCheckpoint], frame: EvaluationFrame) -> None:
    from depth_node.evaluation.scale import store_scale

    for each in evaluated:
        scale = store_scale(each.path, each.report.median_ratio, frame.truth.scale_source)
        print(f"{each.path} now gives metres: scale {scale:.5g}, measured on {frame.truth.name}")
