# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Time what can compute a network on this machine's CPU: eager PyTorch, OpenVINO, onnxruntime.

All run in one process and in turns, so that what else the machine does meets all of them alike: compare the ratios,
not the milliseconds of two runs. Memory is that of a process of its own. Drift is the mean relative difference of depth
from PyTorch's in float32, of the worst picture: the live node takes a back end only below half a percent.

Example: depth bench default --busy 2
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.bench import BenchConfig

if TYPE_CHECKING:
    from torch import Tensor

    from depth_node.inference.backends.side_by_side import Row

HEAD = "| back end | busy | median ms | p95 | p99 | x eager torch | peak MiB | depth drift % | classes % | live |"
PICTURES = 8
"""Of --pictures, spread over all of them."""


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth bench`."""
    parser.add_argument("checkpoint", type=Path, help="a *.safetensors checkpoint, or 'default' or 'real'")
    parser.add_argument(
        "--pictures",
        type=Path,
        nargs="+",
        default=[],
        help="pictures, folders or drives to measure drift on; without them drawn ones",
    )
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    add_settings(parser, BenchConfig)


def run(args: Namespace) -> int:
    """Measure and print one table."""
    from depth_node.ros.surroundings import share_cores

    share_cores()  # as the live node does, before torch comes
    from dataclasses import asdict

    from depth_node.atomic_file import check_replaceable, replacing
    from depth_node.checkpoints.by_name import located
    from depth_node.inference.backends.side_by_side import bench, surroundings

    config, checkpoint = read_settings(args, BenchConfig), located(args.checkpoint)
    if args.json:
        check_replaceable(args.json)
    about = surroundings(config)
    pictures = _pictures(args.pictures, checkpoint, config) if args.pictures else []
    rows = bench(checkpoint, config, pictures, lambda line: print(line, file=sys.stderr))
    print(f"{checkpoint.name}, {config.rounds} rounds, {about['threads']} threads of {about['cores']} cores,")
    print(f"{about['processor']}, load {about['load']:.1f} before\n")
    print(HEAD + "\n" + "|---" * HEAD.count(" | ") + "|---|")
    print("\n".join(map(_line, rows)))
    if args.json:
        with replacing(args.json) as temporary:
            record = {"checkpoint": str(checkpoint), "surroundings": about, "rows": [asdict(row) for row in rows]}
            temporary.write_text(json.dumps(record, indent=1))
    return 0


def _line(row: Row) -> str:
    cells = row.backend, row.busy, f"{row.median:.1f}", f"{row.p95:.1f}", f"{row.p99:.1f}", f"{row.ratio:.2f}"
    drift = f"{100 * row.depth_drift:.2g}", f"{100 * row.class_drift:.2g}", "yes" if row.passes else "no"
    return f"| {' | '.join(map(str, (*cells, f'{row.peak_mib:.0f}', *drift)))} |"


def _pictures(paths: list[Path], checkpoint: Path, config: BenchConfig) -> list[Tensor]:
    """Some of the pictures as the network sees them."""
    from depth_node.camera.network_input import resize_image, to_network_input
    from depth_node.checkpoints.depth_info import read_info
    from depth_node.inference.picture_files import find_pictures, load_picture

    network = read_info(checkpoint).network
    size = config.height or network.height, config.width or network.width
    found = find_pictures(paths, None)
    chosen = found[:: max(1, len(found) // PICTURES)][:PICTURES]
    return [to_network_input(resize_image(load_picture(picture)[0], *size))[None] for picture in chosen]
