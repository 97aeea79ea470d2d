# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Train a depth network from video alone: no depth labels, only a KITTI-style folder as `depth record` writes it.

The run folder gets best.safetensors (use this one), last.safetensors, metrics.csv and TensorBoard logs.

Example: depth train --data recorded/ --output runs/first --network.architecture lite_hr_depth --batch_size 4
"""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.network import NetworkConfig
from depth_node.config.resampling import ResamplingConfig
from depth_node.config.training import TrainConfig

if TYPE_CHECKING:
    from depth_node.datasets.triplets import TripletDataset


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth train`."""
    add_run_arguments(parser)
    parser.add_argument(
        "--two-stage",
        "--two_stage",
        action="store_true",
        help="train, leave out frames in which something became infinitely far, train afresh: OUTPUT/stage1, "
        "OUTPUT/resampled (see `depth resample`), OUTPUT/stage2",
    )
    add_settings(parser, NetworkConfig, prefix="network.")
    add_settings(parser, TrainConfig)
    add_settings(parser, ResamplingConfig, prefix="resampling.", leave_out=("device", "workers"))


def add_run_arguments(parser: CommandParser) -> None:
    """Declare what every training from video asks for: settings file, data and run folder."""
    parser.add_settings_file(with_recipes=True)
    parser.add_argument("--data", required=True, help="folder of recorded drives, or any KITTI raw folder")
    parser.add_argument(
        "--splits", help="folder with train_files.txt and val_files.txt to use in place of the data's own"
    )
    parser.add_argument(
        "--strict_splits",
        action="store_true",
        help="stop where frames of a split are missing, rather than leave them out",
    )
    parser.add_argument("--output", required=True, help="run folder to create")
    parser.add_resume_flags()


def run(args: Namespace) -> int:
    """Train as the flags say."""
    network, config = read_settings(args, NetworkConfig, "network."), read_settings(args, TrainConfig)
    resampling = read_settings(args, ResamplingConfig, "resampling.") if args.two_stage else None
    return train(args, network, config, resampling)


def train(
    args: Namespace, network: NetworkConfig, config: TrainConfig, resampling: ResamplingConfig | None = None
) -> int:
    """Train, in two stages with `resampling`; say where the weights are and how far the error fell."""
    from rich.console import Console

    from depth_node.allocator import keep_large_blocks
    from depth_node.training.fit import fit
    from depth_node.training.run.metrics_file import summarise

    keep_large_blocks()
    data, output = Path(args.data), Path(args.output)
    splits = Path(args.splits) if args.splits else None
    resume = None if args.resume_if_exists else bool(args.resume)
    triplets = partial(_triplets, data, network, config, bool(args.strict_splits))
    console = Console()
    if resampling is None:
        places = {"data": str(data.resolve())} | ({"splits": str(splits.resolve())} if splits else {})
        checkpoint = fit(*triplets(splits), network, config, output, resume, places=places)
    else:
        from depth_node.resampling.two_stage import TwoStageRun

        run = TwoStageRun(data, splits, network, config, resampling, output)
        checkpoint = run.train(triplets, resume)
        console.print(run.summary())
    console.print(summarise(checkpoint.parent))
    console.print(f"checkpoint: {checkpoint}\nnext: depth evaluate --checkpoint {checkpoint} --sequence {data}")
    return 0


def _triplets(
    data: Path, network: NetworkConfig, config: TrainConfig, strict: bool, splits: Path | None
) -> tuple[TripletDataset, TripletDataset | None]:
    from depth_node.datasets.teacher_labels import TeacherLabels
    from depth_node.datasets.triplets import open_splits

    return open_splits(
        data,
        network.height,
        network.width,
        splits,
        stereo=config.stereo,
        distances=config.loss.velocity > 0,
        cache=Path(config.cache) if config.cache else None,
        strict=strict,
        labels=TeacherLabels(Path(config.distillation.labels)).checked() if config.distillation.labels else None,
    )
