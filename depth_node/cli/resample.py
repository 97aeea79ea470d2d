# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Leave out the training frames in which an object has become infinitely far; the second of two stages needs them not.

What moves as fast as the camera looks as if it were infinitely far, and a network trained on video says so. Frames in
which its depth puts pixels below the ground are found here: the ground plane is fitted to the depth of each training
frame, pixels significantly below it are counted, and frames with too many go.

--output gets train_files.txt and val_files.txt for the second stage, resampled.json with each frame's plane, count and
decision, report.html and report.png. An interrupted run goes on when the same command is given again; under torchrun,
processes share the frames.

  depth resample --checkpoint stage1/best.safetensors --sequences recorded --output resampled
  depth train --data recorded --splits resampled --output stage2
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.resampling import ResamplingConfig


def add_arguments(parser: CommandParser) -> None:
    """Flags of `depth resample`."""
    parser.add_argument("--checkpoint", type=Path, required=True, help="network of the first stage (*.safetensors)")
    parser.add_argument(
        "--sequences",
        type=Path,
        nargs="+",
        action="extend",
        required=True,
        help="folders it was trained on: drives, or roots of drives",
    )
    parser.add_argument("--splits", type=Path, help="folder with the split files it was trained on, if not their own")
    parser.add_argument("--output", type=Path, required=True, help="folder for split files and report")
    add_settings(parser, ResamplingConfig)


def run(args: Namespace) -> int:
    """Judge all training frames, write the results and say what is next."""
    from depth_node.distributed import is_first
    from depth_node.resampling.roots import join_roots
    from depth_node.resampling.run import resample_with_progress

    config = read_settings(args, ResamplingConfig)
    root, train, val = join_roots(args.sequences, args.splits)
    report = resample_with_progress(args.checkpoint, root, train, val, config, args.output)
    if report is not None and is_first():
        print(f"{report.sentence}. See {args.output / 'report.html'}")
        print(f"next: depth train --data {root} --splits {args.output} --output RUN, with the settings of stage 1")
    return 0
