# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Say what is in rosbags before recording them: topics, rates, gaps, resolution, calibration, damage.

It reads every message once. --picture writes a contact sheet: some pictures of every camera, and when which topic
sent. --json writes all numbers. A folder that `depth record` wrote is looked at as well: whether it is fit for
training, and why not; its report.html, report.png and report.json are written anew. Of a checkpoint (*.safetensors,
*.onnx of `depth export`, or a name) it tells architecture, input, camera, metres and where they come from, what it
learnt from, and licence.
"""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from depth_node.cli.command_parser import CommandParser

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from depth_node.bags.inspection import BagInspection, TopicInspection


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth inspect`."""
    about = "bag (damaged ones too), folder of bags, recording, or checkpoint"
    parser.add_argument("bags", nargs="+", type=str, metavar="BAG", help=about)
    parser.add_argument("--picture", type=Path, help="write a contact sheet (PNG); of several bags into this folder")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")


def run(args: Namespace) -> int:
    """Inspect; returns 0."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from depth_node.atomic_file import replacing
    from depth_node.bags.files import find_bags
    from depth_node.bags.inspection import inspect
    from depth_node.checkpoints.by_name import is_name, is_published
    from depth_node.checkpoints.exported import SUFFIX
    from depth_node.errors import ConfigError
    from depth_node.kitti.layout import MANIFEST
    from depth_node.recording.manifest import to_json

    named = [Path(bag) for bag in args.bags]
    recordings = [path for path in named if (path / MANIFEST).is_file()]
    checkpoints = [
        path for path in named if path.suffix in (".safetensors", SUFFIX) or is_name(path) or is_published(path)
    ]
    described = [_describe(path) for path in checkpoints]
    rest = [path for path in named if path not in (*recordings, *checkpoints)]
    paths = find_bags(rest) if rest or not described else []
    if args.picture and args.picture.suffix and len(paths) > 1:
        raise ConfigError(f"{len(paths)} bags need a folder: give --picture a name without {args.picture.suffix!r}")
    records = [_report(folder) for folder in recordings]
    quiet = Console(stderr=True)
    for path in paths:
        with Progress(
            TextColumn("reading"), BarColumn(), console=quiet, transient=True, disable=not quiet.is_terminal
        ) as bar:
            task = bar.add_task("reading", total=None)
            bag = inspect(path, partial(_show, bar, task))
        _print(bag)
        records.append(bag.record())
        if args.picture:
            _draw(bag, args.picture if len(paths) == 1 else args.picture / f"{path.stem}.png")
    if args.json:
        with replacing(args.json) as temporary:
            temporary.write_text(to_json({"bags": records, "checkpoints": described}), encoding="utf-8")
    return 0


def _describe(path: Path) -> dict[str, str]:
    """Print what a checkpoint says about itself."""
    from depth_node.checkpoints.description import describe

    facts = describe(path)
    width = max(map(len, facts))
    print("\n".join(f"{name:<{width}}  {text}" for name, text in facts.items()))
    return facts


def _report(folder: Path) -> dict[str, Any]:
    """Write and print the report of a recording."""
    from depth_node.recording.report.page import PAGE, write_report

    report = write_report(folder)
    print("\n".join([*report.lines, f"report: {folder / PAGE}"]))
    return report.record


def _print(bag: BagInspection) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    console.print(_table(bag))
    for line in _notes(bag):
        console.print(escape(line), soft_wrap=True, highlight=False)


def _show(bar: Progress, task: TaskID, done: int, total: int) -> None:
    bar.update(task, completed=done, total=total)


def _table(bag: BagInspection) -> Table:
    from rich.markup import escape
    from rich.table import Table

    title = f"{bag.path.name}: {bag.seconds:.1f} s, {bag.bytes / 1e6:.1f} MB"
    table = Table(title=escape(title), title_justify="left")
    for name in ("topic", "type", "messages", "Hz", "gaps"):
        table.add_column(name, justify="right" if name in ("messages", "Hz") else "left", overflow="fold")
    for topic in bag.topics:
        kind = topic.type.rpartition("/")[2]
        rate = f"{topic.rate:.4g}" if topic.rate else "-"
        row = (topic.name, kind, str(topic.count), rate, _gaps(topic, bag.start_ns))
        table.add_row(*map(escape, row))
    return table


def _gaps(topic: TopicInspection, start_ns: int) -> str:
    if not topic.gaps:
        return "none" if topic.rate else "-"
    at, length = max(topic.gaps, key=lambda gap: gap[1])
    longest = f"{length:.3g} s at {(at - start_ns) / 1e9:.1f} s"
    return longest if len(topic.gaps) == 1 else f"{len(topic.gaps)}, longest {longest}"


def _notes(bag: BagInspection) -> list[str]:
    lines = [f"{topic.name}: {topic.detail}" for topic in bag.topics if topic.detail]
    lines += [f"damaged: {bag.damage}"] if bag.damage else []
    lines += [f"{topic.name}: {problem}" for topic in bag.topics for problem in topic.problems]
    return [*lines, f"next: {bag.advice}"]


def _draw(bag: BagInspection, path: Path) -> None:
    from depth_node.bags.contact_sheet import contact_sheet
    from depth_node.image_file import write_image

    write_image(path, contact_sheet(bag))
    print(f"contact sheet: {path}")
