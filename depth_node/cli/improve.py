# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Make a checkpoint better with what was recorded today, and take the new one only where it is.

Bags are recorded as by `depth record`, checked (too few moving pictures, blur, another calibration), and trained on
from the present weights, with frames of older recordings among them. Both networks are then compared on pictures that
neither has learnt from, of today and of before: brightness and depth where a pixel is found again, and the error to
lidar where there is some. Only a network that is better today and nowhere worse becomes OUTPUT/promoted.safetensors.
Run again, the same command goes on where it was. Read OUTPUT/improve.html.

  depth improve monday.mcap --from real --output nights/monday
  depth improve tuesday.mcap --from nights/monday/promoted.safetensors --older nights/monday/recorded
    --output nights/tuesday --deploy /robot/depth.safetensors
"""

from __future__ import annotations

import shutil
from argparse import Namespace
from functools import partial
from pathlib import Path

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.improve import ImproveConfig
from depth_node.config.record import RecordConfig
from depth_node.config.training import TrainConfig

EPOCHS = 5
"""A night adapts a network that has learnt before."""
POSE_FIRST = 200
"""Steps for a pose network to catch up, where the checkpoint has none."""
REFUSED = 3
"""Exit status of a night that was of no use: no error, but nothing to deploy."""
DECIDED = ("initial", "initial_pose", "semantic")


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth improve`."""
    parser.add_settings_file()
    parser.add_argument("bags", nargs="+", type=str, metavar="BAG", help="what was recorded: bags, or folders of them")
    parser.add_argument("--from", dest="start", required=True, help="the present checkpoint")
    parser.add_argument("--older", nargs="+", default=[], help="recordings of before, such as NIGHT/recorded")
    parser.add_argument("--output", required=True, help="folder of this night")
    parser.add_argument("--deploy", help="file that a promoted checkpoint is copied to, all at once")
    add_settings(parser, ImproveConfig)
    add_settings(parser, RecordConfig, prefix="record.")
    follow = {"epochs": str(EPOCHS), "pose_first": f"{POSE_FIRST} where the checkpoint has no pose network"}
    add_settings(parser, TrainConfig, leave_out=DECIDED, follow=follow)


def run(args: Namespace) -> int:
    """Record, check, train, compare; 0 where the new network is promoted, `REFUSED` where it is not."""
    from depth_node.allocator import keep_large_blocks
    from depth_node.atomic_file import replacing
    from depth_node.checkpoints.by_name import located
    from depth_node.checkpoints.depth import load_checkpoint
    from depth_node.cli.record import record_bags
    from depth_node.improvement.night import PROMOTED_FILE, Night
    from depth_node.improvement.night_page import write_night

    keep_large_blocks()
    start, output = located(args.start), Path(args.output)
    decided = {"initial": str(start), "epochs": EPOCHS}
    decided["pose_first"] = 0 if load_checkpoint(start).pose is not None else POSE_FIRST
    training = read_settings(args, TrainConfig, otherwise=decided)
    older = tuple(Path(folder) for folder in args.older)
    night = Night(start, older, output, read_settings(args, ImproveConfig), training)
    config = read_settings(args, RecordConfig, "record.")
    verdict = night.run(partial(record_bags, args.bags, config=config))
    promoted = output / PROMOTED_FILE if verdict.promoted else None
    if promoted and args.deploy:
        with replacing(Path(args.deploy)) as temporary:
            shutil.copyfile(promoted, temporary)
    pictures = night.pictures() if verdict.measured else []
    page = write_night(output, verdict, pictures, start, promoted)
    for each in verdict.measured:
        print(f"  {each.what} on the {each.where} recording: {each.old:.4f} -> {each.new:.4f} ({each.change:+.1%})")
    print(f"{verdict.sentence}. See {page}")
    if promoted:
        print(f"checkpoint: {args.deploy or promoted}")
    return 0 if promoted else REFUSED
