# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Run the whole live chain on a simulated street and on a real highway, and show the result.

A street drive is rendered into a ROS 2 bag; a camera player, the live node and a subscriber then run as three
processes over real DDS. What the subscriber receives is compared with the exact depth. The same then with a clip of a
real highway and the checkpoint for real cameras, to look at. Pictures go to --output.
"""

from __future__ import annotations

import shutil
from argparse import Namespace
from pathlib import Path

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.demo import DemoConfig
from depth_node.errors import DemoError


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth demo`."""
    parser.add_argument("--output", type=Path, default=Path("demo"), help="folder for pictures, numbers and the bag")
    add_settings(parser, DemoConfig)


def run(args: Namespace) -> int:
    """Simulate, drive, measure, draw."""
    from dataclasses import asdict

    from rich.console import Console

    from depth_node.demo.chain import drive
    from depth_node.demo.highway import draw_highway, drive_highway, measure_highway
    from depth_node.demo.report import NEXT_STEPS, draw, measure, table, write_index
    from depth_node.evaluation.report import write_json

    config, console = read_settings(args, DemoConfig), Console()
    output: Path = args.output
    output.mkdir(parents=True, exist_ok=True)
    console.print("[bold]1/4[/] a street with exact depth")
    street = _street(output / "street", config)
    console.print("[bold]2/4[/] camera player -> live node -> subscriber, three processes over DDS")
    with console.status("starting, then driving"):
        _remove_old(output / "received", mark="node.log")
        result = drive(street / "bag", output / "received", config.frames, config, config.checkpoint)
    highway = None
    if config.highway:
        console.print("[bold]3/4[/] the same with a real highway")
        with console.status("starting, then driving"):
            _remove_old(output / "highway", mark="node.log")
            highway = drive_highway(output / "highway", config)
    console.print("[bold]4/4[/] comparing with the exact depth and drawing")
    numbers = measure(result, street / "ground_truth")
    pictures = draw(result, street / "bag", street / "ground_truth", output)
    rows, record = numbers.rows(), asdict(numbers)
    if highway:
        seen = measure_highway(highway)
        pictures += draw_highway(highway, output)
        rows, record = rows + seen.rows(), record | {"highway": asdict(seen)}
    write_index(output / "index.html", rows, pictures)
    write_json(output / "numbers.json", record)
    console.print(table(rows))
    print("look at:", *pictures, output / "index.html", sep="\n  ")  # print: commands must not be wrapped
    print(f"\nnow with your own camera:\n{NEXT_STEPS}")
    return 0


def _street(folder: Path, config: DemoConfig) -> Path:
    """The drive of the last demo where it is the same, else a new one."""
    import json

    from rich.progress import Progress

    from depth_node.config.setting import values
    from depth_node.config.street import StreetConfig
    from depth_node.simulation.simulate import simulate

    street = StreetConfig(seed=config.seed, frames=config.frames)
    wanted, note = json.dumps(values(street)), folder / "settings.json"
    if note.exists() and note.read_text() == wanted:
        return folder
    _remove_old(folder, mark=note.name)
    with Progress() as progress:
        task = progress.add_task("street", total=config.frames)
        simulate(street, folder, lambda done: progress.update(task, completed=done))
    note.write_text(wanted)
    return folder


def _remove_old(folder: Path, mark: str) -> None:
    """Remove what an earlier demo left, known by its `mark` file; anything else there belongs to the user."""
    if folder.exists() and not (folder / mark).exists():
        raise DemoError(f"{folder} was not made by this demo: choose another --output, or move it away")
    shutil.rmtree(folder, ignore_errors=True)
