# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Look an installation and a running graph over, and say in plain words what is wrong and how to mend it.

Middleware and shared memory first; then, where ROS 2 is there, every camera on the graph (rate, stamps, encoding,
calibration, quality of service) and what live nodes say of themselves; then packages, GPU and checkpoints. The exit
status is 1 where something does not work.

  depth doctor
  depth doctor --seconds 10          (for slow cameras)
  depth doctor --no_graph            (the machine alone)
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING

from depth_node.cli.arguments import YesNo
from depth_node.cli.command_parser import CommandParser

if TYPE_CHECKING:
    from depth_node.ros.doctor.finding import Finding

MARKS = {"ok": "green", "note": "cyan", "warn": "yellow", "bad": "bold red"}


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth doctor`."""
    parser.add_argument("--seconds", type=float, default=4.0, help="how long cameras are listened to [default: 4]")
    parser.add_argument("--graph", action=YesNo, default=True, help="look at what runs, too [default: on]")


def run(args: Namespace) -> int:
    """Check; 1 where something does not work."""
    from depth_node.errors import RosError
    from depth_node.ros.doctor.finding import BAD, Finding
    from depth_node.ros.doctor.middleware import check_middleware

    found = show(check_middleware())
    if args.graph and not any(finding.level == BAD and finding.about == "ROS 2" for finding in found):
        try:
            found += show(_graph(args.seconds))
        except RosError as error:
            found += show([Finding(BAD, "ROS 2", str(error))])
    # torch last: where rclpy comes from wheels it must be the first to be imported.
    from depth_node.ros.doctor.installation import check_installation

    found += show(check_installation())
    bad = [finding for finding in found if finding.level == BAD]
    print({0: "nothing is broken", 1: "one thing does not work"}.get(len(bad), f"{len(bad)} things do not work"))
    return 1 if bad else 0


def _graph(seconds: float) -> list[Finding]:
    from depth_node.ros.main import ros_context

    with ros_context([]) as stop:
        from depth_node.ros.doctor.running_graph import GraphCheck

        node = GraphCheck()
        try:
            node.listen(seconds, stop)
            return list(node.findings())
        finally:
            node.destroy_node()


def show(findings: Iterable[Finding]) -> list[Finding]:
    """Print findings as they come, and hand them on."""
    from rich.console import Console
    from rich.text import Text

    console, shown = Console(soft_wrap=True), []
    for finding in findings:
        line = Text.assemble((f"{finding.level:<5}", MARKS[finding.level]), f"{finding.about}: {finding.text}")
        console.print(line)
        if finding.remedy:
            console.print(Text(f"     -> {finding.remedy}", style="dim"))
        shown.append(finding)
    return shown
