# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Train a semantic network on pictures with label PNGs; a depth network can then be guided by it.

Labels hold one class number per pixel, 8 bits; numbers that the class map lacks are ignored. The run folder gets
best.safetensors (use this one), last.safetensors, metrics.csv, scores.json, predictions.png and TensorBoard logs.

  depth train-semantic --images camvid/images --labels camvid/labels --classes camvid --output runs/camvid
  depth train-semantic --data kitti/ --output runs/kitti --network.encoder tu-lcnet_075
  depth train-semantic --data recorded/ --ground_truth_dir street/ --output runs/street
  depth train-semantic --images leftImg8bit/train --image_ending _leftImg8bit.png --output runs/cityscapes
    --labels gtFine/train --label_ending _gtFine_labelIds.png --label_ids cityscapes
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.cli.labelled_arguments import add_sources, read_sources
from depth_node.config.semantic import SemanticConfig
from depth_node.config.semantic_training import SemanticTrainConfig


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth train-semantic`."""
    parser.add_settings_file()
    parser.add_argument("--output", required=True, help="run folder to create")
    parser.add_resume_flags(for_queues=False)
    parser.add_argument("--classes", default="cityscapes", help="class map: cityscapes, camvid or a YAML file")
    add_sources(parser)
    add_settings(parser, SemanticConfig, prefix="network.")
    add_settings(parser, SemanticTrainConfig)


def run(args: Namespace) -> int:
    """Train, then print the scores on the held-out pictures."""
    from depth_node.allocator import keep_large_blocks
    from depth_node.config.classes import read_class_map
    from depth_node.config.label_ids import read_label_ids
    from depth_node.datasets.labelled_dataset import LabelledDataset, split_stretches
    from depth_node.training.semantic.fit import fit_semantic
    from depth_node.training.semantic.sources import class_shares, class_weights, count_values, ignored_values

    keep_large_blocks()
    network, config = read_settings(args, SemanticConfig, "network."), read_settings(args, SemanticTrainConfig)
    classes = read_class_map(args.classes)
    table = read_label_ids(args.label_ids, classes)
    stretches = read_sources(args).stretches()
    counts = count_values(stretches)
    shares = class_shares(counts, table, classes)
    parts = split_stretches(stretches, config.val_fraction)
    train, val = (LabelledDataset(part, config.height, config.width, table) for part in parts)
    print(f"{len(train)} labelled pictures to learn from, {len(val)} held out")
    for value, share in ignored_values(counts, table).items():
        print(f"label value {value} ({share:.2%} of the pixels) is no class and is ignored")
    weights = class_weights(shares) if config.class_weights == "log" else None
    checkpoint, scores = fit_semantic(
        train, val or None, classes, network, config, Path(args.output), weights, resume=args.resume
    )
    if scores is not None:
        print(scores.table())
    print(f"checkpoint: {checkpoint}")
    return 0
