# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of the `depth` command: picks the subcommand and turns errors into one clear line."""

from __future__ import annotations

import importlib
import keyword
import sys
import traceback
from collections.abc import Sequence

from depth_node import __version__
from depth_node.distributed import first_to_fail, only_first_speaks
from depth_node.errors import DepthNodeError

COMMANDS = {
    "simulate": "render a street drive and write it as a ROS 2 bag with exact ground truth",
    "inspect": "say what is in rosbags: topics, rates, gaps, calibration, a contact sheet",
    "record": "turn rosbags into a KITTI-style sequence folder for training",
    "improve": "make a checkpoint better with today's bags, and take the new one only where it is",
    "pretrain": "train a depth network on simulated streets with exact depth, the start for a real camera",
    "train": "train a depth network from video, without depth labels",
    "distill": "teach a small depth network what a large one has learnt",
    "resample": "leave out training frames in which an object became infinitely far (two-stage training)",
    "train-semantic": "train a semantic network from pictures with label PNGs",
    "evaluate": "compare a checkpoint with measured depth (Eigen protocol)",
    "evaluate-semantic": "compare a semantic network with label PNGs",
    "predict": "write depth images and clouds for pictures or a sequence",
    "import": "fetch or make a checkpoint of official HR-Depth, monodepth2 or PackNet-SfM weights",
    "export": "write a checkpoint as ONNX, torch.export or a lean file, without what only training needs",
    "bench": "time what can compute a network here: torch, OpenVINO, onnxruntime; with the drift of each",
    "play": "publish a bag's camera on ROS 2, where `ros2 bag play` is missing",
    "doctor": "say what is wrong with this installation, or with a running graph, and how to mend it",
    "view": "show a running graph in a browser: image, depth, classes, cloud, and the node's state",
    "demo": "run the whole chain on a simulated street and show the result",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; returns the exit status (0 good, 1 a reported error, 2 wrong usage)."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    own = arguments[: arguments.index("--ros-args")] if "--ros-args" in arguments else arguments
    debug = "--debug" in own
    while arguments[:1] == ["--debug"]:
        arguments = arguments[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(overview())
        return 0
    if arguments[0] == "--version":
        print(f"depth_node {__version__}")
        return 0
    name = arguments[0]
    if name not in COMMANDS:
        print(f"depth: unknown command '{name}': use one of {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    return run_command(name, arguments[1:], debug)


def run_command(name: str, arguments: Sequence[str], debug: bool = False) -> int:
    """Parse and run one subcommand; only its own module is imported, so that `--help` stays quick.

    Errors are one line, with `debug` their whole traceback before it.
    """
    from depth_node.cli.command_parser import CommandParser

    module = name.replace("-", "_") + ("_" if keyword.iskeyword(name) else "")
    try:
        command = importlib.import_module(f"depth_node.cli.{module}")
        parser = CommandParser(name, command.__doc__ or "")
        command.add_arguments(parser)
        with only_first_speaks():
            return int(command.run(parser.parse_args(list(arguments))))
    except (Exception, KeyboardInterrupt) as error:
        if first_to_fail():  # of processes that share the work; the others fail because it left
            if debug:
                traceback.print_exception(error)
            print(f"depth {name}: {message(error)}", file=sys.stderr)
        return 130 if isinstance(error, KeyboardInterrupt) else 1


def message(error: BaseException) -> str:
    """What an error says, on one line where it is none of ours.

    One of ours that comes from a data loader's process loses the traceback that is wrapped around it.
    """
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    text = str(error).strip()
    if isinstance(error, DepthNodeError):
        return text.splitlines()[-1].partition(": ")[2] if text.startswith("Caught ") and "\n" in text else text
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith("depth_node"):
        return (
            f"the Python module {error.name} is not installed: pip install 'depth_node[train]', or '.[train]' in a "
            "checkout, brings what training and simulation need"
        )
    where = traceback.extract_tb(error.__traceback__)[-1]
    said = f"{type(error).__name__}: {text.splitlines()[0]}" if text else type(error).__name__
    return f"unexpected {said} ({where.filename}:{where.lineno}; `depth --debug` shows the way there)"


def overview() -> str:
    """The text of `depth --help`."""
    rows = "\n".join(f"  {name:<18} {text}" for name, text in COMMANDS.items())
    return (
        f"depth_node {__version__}: depth from one camera\n\n"
        f"usage: depth COMMAND ...\n\n{rows}\n\n`depth COMMAND --help` explains each.\n"
        "`depth --debug COMMAND ...` shows the whole traceback of an error."
    )


if __name__ == "__main__":
    sys.exit(main())
