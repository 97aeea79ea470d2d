# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Teach a small depth network what a large one has learnt: Lite-HR-Depth from HR-Depth, say.

The student sees the same video as in `depth train` and has the same settings. It learns from motion and from the
teacher, or with --teacher_only from the teacher alone, which is quicker. Input size, depth range and pose network
follow the teacher unless they are given, and the teacher's metres per unit go over to the student where its camera
sees things equally large.

A teacher of another kind, a model of the hub (hf:MODEL) or an ONNX file (onnx:FILE), looks at every picture once,
before: its labels are 16-bit PNGs in a folder that later runs can name (labels:FOLDER). --teacher.focal and
--teacher.gives say how its answers are to be read. Its licence is looked up and kept in the checkpoint.

  depth distill --teacher runs/hr/best.safetensors --student lite --data recorded/ --output runs/lite
  depth distill --teacher hf:depth-anything/Depth-Anything-V2-Small-hf --data recorded/ --output runs/by_hub
  depth distill --teacher onnx:da3metric.onnx --teacher.focal 300 --data recorded/ --output runs/metric
"""

from __future__ import annotations

import dataclasses
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from depth_node.cli.arguments import add_settings, one_of, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.cli.train import add_run_arguments, train
from depth_node.config.network import ARCHITECTURES, NetworkConfig
from depth_node.config.teacher import HUB, LABELS, ONNX, TeacherConfig
from depth_node.config.training import TrainConfig

if TYPE_CHECKING:
    from depth_node.checkpoints.depth import Checkpoint

STUDENTS = ("lite", *ARCHITECTURES)
FOLLOWED = ("height", "width", "min_depth", "max_depth", "pose")
"""Settings of the network that are the teacher's where they are not given."""
DECIDED = ("distillation.teacher", "distillation.photometric", "distillation.labels")
"""Settings of training that have shorter flags here."""


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags of `depth distill`."""
    parser.add_argument(
        "--teacher",
        required=True,
        help="what to learn from: a checkpoint or its name, hf:MODEL, onnx:FILE or labels:FOLDER",
    )
    about = (
        "folder of a teacher's labels, to share with other runs; a checkpoint's are then written, too [OUTPUT_labels]"
    )
    parser.add_argument("--labels", help=about)
    choices = f"{{{','.join(STUDENTS)}}}"
    about = "depth network to train [default: lite]"
    parser.add_argument("--student", type=one_of(STUDENTS), metavar=choices, default="lite", help=about)
    parser.add_argument("--teacher_only", action="store_true", help="learn from the teacher alone, not from motion")
    parser.shortened = {
        "distillation.teacher": ("teacher", str),
        "distillation.labels": ("labels", lambda folder: folder or None),
        "distillation.photometric": ("teacher_only", lambda photometric: not photometric),
        "network.architecture": ("student", str),
    }
    add_run_arguments(parser)
    follow = dict.fromkeys(FOLLOWED, "the teacher's")
    add_settings(parser, NetworkConfig, prefix="network.", leave_out=("architecture",), follow=follow)
    add_settings(parser, TrainConfig, leave_out=DECIDED)
    add_settings(parser, TeacherConfig, prefix="teacher.")


def run(args: Namespace) -> int:
    """Train the student as `depth train` does."""
    from depth_node.checkpoints.depth import load_checkpoint

    name = args.teacher or f"{LABELS}{args.labels}"  # a run by labels that goes on names no teacher
    if args.labels or name.startswith((HUB, ONNX, LABELS)):
        return _by_labels(args, name)
    teacher = load_checkpoint(args.teacher)
    theirs = {name: getattr(teacher.info.network, name) for name in FOLLOWED}
    student = _student(args)
    network = read_settings(args, NetworkConfig, "network.", {**theirs, "architecture": student})
    decided = dict(zip(DECIDED, (args.teacher, not args.teacher_only, ""), strict=True))
    config = read_settings(args, TrainConfig, otherwise=decided)
    return train(args, network, start_from_teacher(config, network, Path(args.teacher), teacher))


def _student(args: Namespace) -> str:
    return "lite_hr_depth" if args.student == "lite" else str(args.student)


def _by_labels(args: Namespace, name: str) -> int:
    """Have the labels written where there are none, then train by them."""
    from depth_node.checkpoints.depth import read_info
    from depth_node.datasets.triplets import open_splits
    from depth_node.teachers.labelling import write_labels

    theirs = {}
    if not name.startswith((HUB, ONNX, LABELS)):
        info = read_info(name)
        theirs = {setting: getattr(info.network, setting) for setting in FOLLOWED}
    network = read_settings(args, NetworkConfig, "network.", {**theirs, "architecture": _student(args)})
    if name.startswith(LABELS):
        folder = Path(name.removeprefix(LABELS)).expanduser()
    else:
        folder = Path(args.labels or f"{args.output.rstrip('/')}_labels")
        splits = Path(args.splits) if args.splits else None
        parts = [part for part in open_splits(Path(args.data), network.height, network.width, splits) if part]
        frames = [target for part in parts for target in part.targets]
        write_labels(name, read_settings(args, TeacherConfig, "teacher."), frames, folder)
    decided = dict(zip(DECIDED, ("", not args.teacher_only, str(folder)), strict=True))
    return train(args, network, read_settings(args, TrainConfig, otherwise=decided))


def start_from_teacher(config: TrainConfig, network: NetworkConfig, path: Path, teacher: Checkpoint) -> TrainConfig:
    """Settings that take from the teacher what it has and the command line does not name.

    Its pose network already measures motion in the units of the depth that the student is to learn; its semantic
    network can guide the student, too.
    """
    initial_pose, semantic = config.initial_pose, config.semantic
    if not config.initial:
        if not initial_pose and teacher.pose is not None and teacher.info.network.pose == network.pose:
            initial_pose = str(path)
        if not semantic and teacher.semantic is not None and network.guided:
            semantic = str(path)
    return dataclasses.replace(config, initial_pose=initial_pose, semantic=semantic)
