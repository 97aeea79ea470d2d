# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Train a depth network on simulated streets with exact depth: the start for a real camera.

Streets in towns, suburbs, the country and on highways are drawn at random and rendered while the network learns from
them, through random cameras, with random light, blur, noise and roll. The result is metric for any camera whose focal
length is known. With --video it learns from real pictures beside them, as `depth train` does. The run folder gets
best.safetensors (by streets that it never learns from), last.safetensors, metrics.csv, and the streets. From there:
`depth train --initial OUTPUT/best.safetensors --data recorded/`.

  depth pretrain --output runs/start --network.encoder tf_efficientnet_lite0 --network.width 320 --network.height 96
  depth pretrain --output runs/large --initial runs/start/best.safetensors --streets runs/start/streets --steps 1000
    --network.encoder tf_efficientnet_lite0
  depth pretrain --output runs/guided --network.guided --semantic_steps 1000
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.network import NetworkConfig
from depth_node.config.pretraining import PretrainConfig
from depth_node.config.semantic import SemanticConfig


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth pretrain`."""
    parser.add_settings_file()
    parser.add_argument("--output", required=True, help="run folder to create")
    parser.add_argument("--streets", help="folder of rendered streets, to share with other runs; else OUTPUT/streets")
    parser.add_argument("--video", help="KITTI-style folder of real drives to learn from too")
    parser.add_resume_flags()
    add_settings(parser, NetworkConfig, prefix="network.", leave_out=("learn_intrinsics",))
    add_settings(parser, SemanticConfig, prefix="semantic.")
    add_settings(parser, PretrainConfig)


def run(args: Namespace) -> int:
    """Train, then say how wrong the network is on unseen streets."""
    from depth_node.allocator import keep_large_blocks
    from depth_node.checkpoints.depth import read_info
    from depth_node.datasets.triplets import open_splits
    from depth_node.training.pretraining import STREETS_FOLDER, Pretraining

    keep_large_blocks()
    network = read_settings(args, NetworkConfig, "network.")
    semantic = read_settings(args, SemanticConfig, "semantic.")
    config = read_settings(args, PretrainConfig)
    output = Path(args.output)
    streets = Path(args.streets) if args.streets else output / STREETS_FOLDER
    video = open_splits(Path(args.video), network.height, network.width)[0] if args.video else None
    resume = None if args.resume_if_exists else bool(args.resume)
    checkpoint = Pretraining(network, semantic, config, output, streets, video).run(resume)
    metrics = read_info(checkpoint).training["metrics"]
    print(f"abs_rel {metrics.get('val/abs_rel', float('nan')):.3f} on streets that it never learnt from, median-scaled")
    print(f"checkpoint: {checkpoint}\nnext: depth train --initial {checkpoint} --data RECORDED --output RUN")
    return 0
