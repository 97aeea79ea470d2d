# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Render a drive through a procedural street and write it as a ROS 2 bag with exact ground truth beside it.

The output folder gets bag/ (camera, camera info, lidar, odometry, tf) and ground_truth/ (depth in metres as
float32 TIFF, Cityscapes train ids as PNG, camera poses, calibration). The same seed gives the same drive.
"""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.street import StreetConfig


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth simulate`."""
    parser.add_argument("--output", type=str, required=True, help="folder to make; must not exist or be empty")
    add_settings(parser, StreetConfig)


def run(args: Namespace) -> int:
    """Simulate a drive; returns the exit status."""
    config = read_settings(args, StreetConfig)
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from depth_node.simulation.simulate import simulate

    began = time.monotonic()
    with Progress(TextColumn("street"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task("street", total=config.frames)
        bag = simulate(config, Path(args.output), lambda done: bar.update(task, completed=done))
    took = time.monotonic() - began
    print(f"{config.frames} frames in {took:.1f} s ({config.frames / took:.1f}/s): {bag}")
    return 0
