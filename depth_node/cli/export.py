# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Write a network for other programs, without what only training needs. The suffix of --output decides.

*.safetensors: a lean checkpoint for the live node. *.onnx: onnxruntime, OpenVINO, TensorRT. *.pt2: torch.export.
The last two take `image` (B, 3, H, W), float RGB in 0..1 at the network's size, and give `depth` (B, 1, H, W) in metres
and, where the checkpoint has a semantic network, `logits` (B, N, H/4, W/4).

Example: depth export runs/mine/best.safetensors --output mine.onnx
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.export import ExportConfig
from depth_node.errors import ConfigError


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth export`."""
    parser.add_argument("checkpoint", type=Path, help="checkpoint of a training run, or a name")
    parser.add_argument("--output", type=Path, required=True, help="file to write: *.safetensors, *.onnx or *.pt2")
    add_settings(parser, ExportConfig)


def run(args: Namespace) -> int:
    """Export, and say what was written and how it compares."""
    from depth_node.checkpoints.depth import load_checkpoint
    from depth_node.export.exporting import CHECKPOINT, check_request, export_checkpoint

    config = read_settings(args, ExportConfig)
    check_request(args.output, config)
    if args.output.resolve() == args.checkpoint.resolve():
        raise ConfigError(f"{args.output} would lose its pose network: name another --output")
    checkpoint = load_checkpoint(args.checkpoint, with_pose=False)
    differences = export_checkpoint(checkpoint, args.output, config)
    network = checkpoint.info.network
    kind = f"guided {network.architecture}" if network.guided else network.architecture
    size = args.output.stat().st_size / 1e6
    print(f"{args.output}: {kind}, input {network.width}x{network.height}, {size:.1f} MB")
    if differences:
        print("largest difference to PyTorch: " + ", ".join(f"{name} {d:.1e}" for name, d in differences.items()))
    elif config.verify and args.output.suffix != CHECKPOINT:
        print("not compared with PyTorch: pip install onnxruntime")
    return 0
