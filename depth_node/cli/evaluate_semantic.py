# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Compare a semantic network with label pictures: intersection over union per class and on average.

depth evaluate-semantic --checkpoint runs/street/best.safetensors --data recorded/ --ground_truth_dir street/
depth evaluate-semantic --checkpoint smp-hub/segformer-b0-768x768-city-160k --data kitti/ --picture seen.png
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from depth_node.cli.command_parser import CommandParser
from depth_node.cli.labelled_arguments import add_sources, read_sources


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth evaluate-semantic`."""
    parser.add_argument("--checkpoint", required=True, help="semantic checkpoint, guided depth checkpoint or hub name")
    add_sources(parser)
    parser.add_argument("--height", type=int, default=0, help="height of the input in px; 0 takes that of the training")
    parser.add_argument("--width", type=int, default=0, help="width of the input in px; 0 takes that of the training")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--picture", type=Path, help="write pictures, labels and predictions of some frames here, PNG")
    parser.add_argument("--json", type=Path, help="write the scores to this file")


def run(args: Namespace) -> int:
    """Evaluate and print the table."""
    import json

    from depth_node.atomic_file import replacing
    from depth_node.checkpoints.semantic import load_semantic
    from depth_node.config.label_ids import read_label_ids
    from depth_node.config.semantic_training import SemanticTrainConfig
    from depth_node.datasets.labelled_dataset import LabelledDataset
    from depth_node.image_file import write_image
    from depth_node.training.run.folder import choose_accelerator
    from depth_node.training.semantic.evaluation import evaluate_semantic, predictions_picture
    from depth_node.training.semantic.sources import class_shares, count_values

    device = choose_accelerator(args.device)
    info, network = load_semantic(args.checkpoint)
    # The configuration checks the size, as it does for training.
    size = SemanticTrainConfig(height=args.height or info.height, width=args.width or info.width)
    table = read_label_ids(args.label_ids, info.classes)
    stretches = read_sources(args).stretches()
    class_shares(count_values(stretches), table, info.classes)
    pairs = [pair for stretch in stretches for pair in stretch]
    dataset = LabelledDataset(pairs, size.height, size.width, table)
    scores = evaluate_semantic(network, dataset, device=device)
    print(f"{len(dataset)} pictures at {size.width}x{size.height}")
    print(scores.table())
    if args.picture:
        write_image(args.picture, predictions_picture(network, dataset))
    if args.json:
        with replacing(args.json) as temporary:
            temporary.write_text(json.dumps(scores.record(), indent=1) + "\n")
    return 0
