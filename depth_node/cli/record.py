# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Turn rosbags, videos or pictures into a KITTI-style sequence folder, ready for training and for pykitti.

Bags may be mcap or sqlite3, split or compressed, cut off by a crash, or a folder of those. A bag becomes one drive, or
several where there are gaps. Frames that teach a network nothing are left out; the manifest says which and why. The
camera's topics are found by type; name them where a bag has several cameras. An interrupted recording goes on where it
stopped when the same command is run again.

A video, or a folder of pictures in the order of their names, is recorded likewise. It says nothing of its camera: give
--calibration FILE, --fov DEGREES (from side to side) or, where neither is known, --learn_intrinsics.

Examples:
  depth record drive.mcap --output sequence
  depth record phone.mp4 --fov 65 --rate 10 --output sequence
  depth record pictures/ --picture_rate 10 --calibration camera.yaml --output sequence
  depth record bags/ --output sequence --format jpg --rate 10
  depth record bags/ --output part1 --shard 1/2       (and 2/2 on another machine)
  depth record --merge part1 part2 --output sequence
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from depth_node.cli.arguments import YesNo, add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.record import RecordConfig

if TYPE_CHECKING:
    from depth_node.recording.manifest import Manifest


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth record`."""
    parser.add_argument(
        "bags",
        nargs="+",
        type=str,
        metavar="BAG",
        help="bag folder, .mcap, .db3 or .bag (ROS 1) file, video, folder of pictures, or a folder of those",
    )
    parser.add_argument(
        "--output", type=str, required=True, help="folder to write; new or empty, or of an interrupted recording"
    )
    parser.add_argument(
        "--merge",
        action=YesNo,
        default=False,
        help="put the outputs of all shards together, named in place of bags",
    )
    add_settings(parser, RecordConfig)


def run(args: Namespace) -> int:
    """Record; returns 0."""
    output = Path(args.output)
    try:
        manifest = _merge(args, output) if args.merge else _record(args, output)
    except KeyboardInterrupt:
        print("depth record: interrupted: run the same command again to go on from here", file=sys.stderr)
        return 130
    print_result(manifest, output)
    print_verdict(output)
    return 0


def _record(args: Namespace, output: Path) -> Manifest:
    from depth_node.allocator import keep_large_blocks

    keep_large_blocks()
    return record_bags(args.bags, output, read_settings(args, RecordConfig))


def record_bags(bags: Sequence[str], output: Path, config: RecordConfig) -> Manifest:
    """Record with a progress bar and a report; see `record`."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from depth_node.recording.recorder import record

    columns = (TextColumn("recording"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("recording", total=None)
        return record(
            [Path(bag) for bag in bags],
            output,
            config,
            lambda done, total: bar.update(task, completed=done, total=total),
            finish=_report,
        )


def _merge(args: Namespace, output: Path) -> Manifest:
    from depth_node.recording.merging import merge

    return merge([Path(shard) for shard in args.bags], output, finish=_report)


def _report(folder: Path) -> None:
    from depth_node.recording.report.page import write_report

    write_report(folder)


def print_result(manifest: Manifest, output: Path) -> None:
    """What was recorded, what was left out and why, and what could not be read."""
    from depth_node.bags.files import VIDEO_SUFFIXES
    from depth_node.recording.frame_selection import REASONS

    for drive in manifest.drives:
        camera = f"{drive.camera.width}x{drive.camera.height}{', rectified' if drive.camera.rectified else ''}"
        began = "" if drive.begins == "start of the bag" else f", begins after: {drive.begins}"
        print(f"{output / drive.folder}: {len(drive.frames)} frames ({camera}), {len(drive.dropped)} dropped{began}")
    dropped = [frame for drive in manifest.drives for frame in drive.dropped]
    dropped += [frame for bag in manifest.bags for frame in bag.dropped]
    for category, count in Counter(frame.category for frame in dropped).most_common():
        print(f"  {count} dropped: {REASONS.get(category, category)}")
    for bag in manifest.bags:
        if bag.lost is not None:
            kind = "" if Path(bag.name).suffix.lower() in VIDEO_SUFFIXES else "bag "
            print(f"warning: {kind}{bag.name} is damaged, {_loss(bag.lost.messages, bag.lost.bytes)} ({bag.lost.note})")
    if manifest.settings.get("learn_intrinsics"):
        print("the camera is a first guess: train with --network.learn_intrinsics")
    print(f"{manifest.train} training and {manifest.val} validation triplets in {output / 'splits'}")


def print_verdict(output: Path) -> None:
    """What the report says of the recording; nothing where it is not there."""
    try:
        report = json.loads((output / "report.json").read_text(encoding="utf-8"))
        print(f"{report['sentence']} See {output / 'report.html'}")
    except (OSError, ValueError, KeyError):
        return


def _loss(messages: int | None, size: int) -> str:
    if messages == 0 and not size:
        return "but every message was read"
    lost = f"{messages} messages are lost" if messages is not None else "an unknown number of messages is lost"
    return f"{lost}, {size} bytes of it unreadable" if size else lost
