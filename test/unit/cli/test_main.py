# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The `depth` command: overview, help of every subcommand, exit status and one-line errors."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from depth_node import __version__
from depth_node.cli import main as command
from depth_node.errors import BagError


def test_overview_lists_every_command(capsys):
    for arguments in ([], ["--help"], ["-h"]):
        assert command.main(arguments) == 0
        text = capsys.readouterr().out
        assert all(name in text for name in command.COMMANDS)


def test_version(capsys):
    assert command.main(["--version"]) == 0
    assert capsys.readouterr().out == f"depth_node {__version__}\n"


def test_unknown_command_is_wrong_usage(capsys):
    assert command.main(["levitate"]) == 2
    text = capsys.readouterr().err
    assert "unknown command 'levitate'" in text
    assert text.count("\n") == 1


@pytest.mark.parametrize("name", sorted(command.COMMANDS))
def test_help_of_every_command(name, capsys):
    with pytest.raises(SystemExit) as left:
        command.main([name, "--help"])
    assert left.value.code == 0
    assert f"usage: depth {name}" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(command.COMMANDS))
def test_unknown_flag_is_wrong_usage(name, capsys):
    with pytest.raises(SystemExit) as left:
        command.main([name, "--no_such_flag=1"])
    assert left.value.code == 2
    text = capsys.readouterr().err
    assert text.startswith(f"depth {name}: ")
    assert text.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("train --data a --output b --stepz 3", "unknown flag --stepz: did you mean --steps?"),
        ("train --data a --output b --zzzzz=3", "unknown flag --zzzzz (`depth train --help`"),
        ("train --data a --output b c", "cannot place c: values follow the flag"),
        ("train", "needs --data, --output ("),
        ("record --output x", "needs BAGS ("),
        ("train --data a --output b --steps few", "--steps takes a whole number, not 'few'"),
        ("train --data a --output b --learning_rate x", "--learning_rate takes a number, not 'x'"),
        (
            "train --data a --output b --network.pose gps",
            "--network.pose takes one of pose_resnet18, pose_resnet50, posenet, not 'gps'",
        ),
        ("evaluate --checkpoint", "--checkpoint: expected at least one argument"),
    ],
)
def test_wrong_usage_is_one_line_that_helps(arguments, said, capsys):
    with pytest.raises(SystemExit) as left:
        command.main(arguments.split())
    assert left.value.code == 2
    text = capsys.readouterr().err
    assert said in text
    assert text.count("\n") == 1


def test_help_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from depth_node.cli.main import COMMANDS, main\n"
        "for name in COMMANDS:\n"
        "    try:\n        main([name, '--help'])\n"
        "    except SystemExit:\n        pass\n"
        "print(sorted({'torch', 'rclpy', 'cv2', 'matplotlib', 'trimesh'} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [(BagError("bag is cut off"), 1, "depth fall: bag is cut off\n"), (KeyboardInterrupt(), 130, "interrupted")],
)
def test_errors_are_one_line_and_a_status(error, status, says, monkeypatch, capsys):
    def run(args):
        raise error

    module = SimpleNamespace(__doc__="Falls.", add_arguments=lambda parser: None, run=run)
    monkeypatch.setitem(command.COMMANDS, "fall", "falls")
    monkeypatch.setitem(sys.modules, "depth_node.cli.fall", module)
    assert command.main(["fall"]) == status
    assert says in capsys.readouterr().err


DEBUGS = [["--debug", "fall"], ["fall", "--debug"], ["fall", "--steps", "3", "--debug"]]


@pytest.mark.parametrize("error", [BagError("bag is cut off"), KeyError("stamp")])
def test_debug_shows_the_way_to_an_error(error, monkeypatch, capsys):
    def dig(args):
        raise error

    module = SimpleNamespace(
        __doc__="Falls.", add_arguments=lambda parser: parser.add_argument("--steps", type=int), run=dig
    )
    monkeypatch.setitem(command.COMMANDS, "fall", "falls")
    monkeypatch.setitem(sys.modules, "depth_node.cli.fall", module)
    assert command.main(["fall"]) == 1
    plain = capsys.readouterr().err
    assert plain.count("\n") == 1
    for arguments in DEBUGS:
        assert command.main(arguments) == 1
        shown = capsys.readouterr().err
        assert shown.startswith("Traceback (most recent call last):")
        assert "in dig" in shown
        assert shown.endswith(plain)


def test_an_unexpected_error_is_one_line_that_says_where(monkeypatch, capsys):
    def run(args):
        raise ValueError("two\nlines")

    module = SimpleNamespace(__doc__="Falls.", add_arguments=lambda parser: None, run=run)
    monkeypatch.setitem(command.COMMANDS, "fall", "falls")
    monkeypatch.setitem(sys.modules, "depth_node.cli.fall", module)
    assert command.main(["fall"]) == 1
    text = capsys.readouterr().err
    assert text.startswith("depth fall: unexpected ValueError: two (")
    assert "test_main.py:" in text
    assert text.count("\n") == 1


def test_ros_arguments_are_not_the_commands(monkeypatch, capsys):
    # What follows --ros-args belongs to ROS.
    def run(args):
        raise BagError(" ".join(args.ros_args))

    monkeypatch.setattr("depth_node.cli.play.run", run)
    assert command.main(["play", "bag", "--ros-args", "--debug"]) == 1
    assert capsys.readouterr().err == "depth play: --debug\n"


def test_a_module_can_be_run():
    done = subprocess.run(
        [sys.executable, "-m", "depth_node.cli.main", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"depth_node {__version__}\n"
