"""Turn rosbags into a KITTI-style sequence folder, ready for training and for pykitti.

Each bag becomes one drive. The camera's topics are found by type; name them where a bag has several cameras.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.config.record import RecordConfig


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the flags of `depth record`."""
    parser.add_argument("bags", nargs="+", type=str, metavar="BAG", help="bag folder, .mcap or .db3 file")
    parser.add_argument("--output", type=str, required=True, help="folder to write; new or empty")
    add_settings(parser, RecordConfig)


def run(args: Namespace) -> int:
    """Record; returns 0."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from depth_node.data.manifest import Manifest
    from depth_node.data.recorder import record

    config = read_settings(args, RecordConfig)
    output = Path(args.output)
    columns = (TextColumn("recording"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("recording", total=None)
        manifest: Manifest = record(
            [Path(bag) for bag in args.bags],
            output,
            config,
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    for drive in manifest.drives:
        camera = f"{drive.camera.width}x{drive.camera.height}{', rectified' if drive.camera.rectified else ''}"
        print(f"{output / drive.folder}: {len(drive.frames)} frames ({camera}), {len(drive.dropped)} dropped")
        for reason, count in Counter(frame.reason for frame in drive.dropped).most_common():
            print(f"  {count} x {reason}")
    print(f"{manifest.train} training and {manifest.val} validation triplets in {output / 'splits'}")
    return 0
