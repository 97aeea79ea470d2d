# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Turn official weights of HR-Depth, Lite-HR-Depth, monodepth2 or PackNet-SfM into a checkpoint for every command here.

A folder with encoder.pth and depth.pth, or a PackNet-SfM *.ckpt file. They are pickles, which could run anything when
loaded: here they are read as plain data only, and what is more than that is refused.

Example: depth import HR_Depth_K_M_1280x384 --output hr_depth.safetensors
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.importing import ImportConfig


def add_arguments(parser: CommandParser) -> None:
    """Flags of `depth import`."""
    parser.add_argument("source", type=Path, help="folder with encoder.pth and depth.pth, or *.ckpt file")
    parser.add_argument("--output", type=Path, required=True, help="file to write, *.safetensors")
    add_settings(parser, ImportConfig)


def run(args: Namespace) -> int:
    """Import, and say what became of it."""
    from depth_node.checkpoints.depth import save_checkpoint
    from depth_node.checkpoints.importing.importer import import_official

    info, found = import_official(args.source, read_settings(args, ImportConfig))
    save_checkpoint(args.output, info, found.depth, found.pose)
    network = info.network
    parts = f"depth and pose network ({network.pose})" if found.pose else "depth network"
    size = f"{args.output.stat().st_size / 1e6:.1f} MB"
    print(f"{args.output}: {network.architecture} at {network.width}x{network.height}, {parts}, {size}")
    for note in found.notes:
        print(f"note: {note}")
    return 0
