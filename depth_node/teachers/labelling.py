# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Has a teacher look at every picture that a student is to learn from, once; what is there is not done again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import track

from depth_node.atomic_file import clear_partial
from depth_node.checkpoints.by_name import located
from depth_node.config.setting import values
from depth_node.config.teacher import HUB, ONNX, TeacherConfig
from depth_node.datasets.teacher_labels import TeacherLabels
from depth_node.kitti.layout import KittiSequence
from depth_node.teachers.contract import Teacher

HOW_READ = ("gives", "focal", "sky", "width")
"""Settings that change what is written."""


def open_teacher(name: str, config: TeacherConfig) -> Teacher:
    """A teacher by its name: hf:MODEL, onnx:FILE, or a checkpoint of this package.

    Raises:
        TeacherError: it cannot be loaded, or its licence is not accepted.
        CheckpointError: it is no checkpoint.
    """
    teacher: Teacher
    if name.startswith(HUB):
        from depth_node.teachers.hub import HubTeacher

        teacher = HubTeacher(name.removeprefix(HUB), config)
    elif name.startswith(ONNX):
        from depth_node.teachers.onnx_file import OnnxTeacher

        teacher = OnnxTeacher(Path(name.removeprefix(ONNX)).expanduser(), config)
    else:
        from depth_node.teachers.checkpoint import CheckpointTeacher

        teacher = CheckpointTeacher(name, config)
    teacher.origin.check(config.accept_license)
    return teacher


def write_labels(
    name: str, config: TeacherConfig, frames: Iterable[tuple[KittiSequence, int]], folder: Path
) -> TeacherLabels:
    """Have a teacher label all frames that have no label yet; where none is missing it is not even loaded.

    Args:
        name: see `open_teacher`.
        config: how its answers are to be read.
        frames: sequence and frame of each picture.
        folder: of the labels.

    Raises:
        TeacherError: see `open_teacher`; or the folder holds labels of another teacher.
        OutputError: a label cannot be written.
        SequenceError: a picture cannot be read.
    """
    labels = TeacherLabels(folder)
    wanted = list(dict.fromkeys(frames))
    missing = [(sequence, frame) for sequence, frame in wanted if not labels.path(sequence, frame).exists()]
    if not missing and labels.record["name"] == shown_name(name):
        return labels
    teacher = open_teacher(name, config)
    how = {setting: value for setting, value in values(config).items() if setting in HOW_READ}
    labels.start(asdict(teacher.origin) | {"gives": teacher.gives, "settings": how})
    for place in {labels.path(sequence, frame).parent for sequence, frame in missing}:
        clear_partial(place)
    for sequence, frame in track(missing, f"labels of {teacher.origin.name}", console=Console(stderr=True)):
        labels.write(sequence, frame, teacher(sequence.calibrated_image(frame), sequence.K))
    return labels


def shown_name(name: str) -> str:
    """What a record calls a teacher: without the folders of this machine, where it is a file."""
    if name.startswith(HUB):
        return name
    return ONNX + Path(name.removeprefix(ONNX)).name if name.startswith(ONNX) else located(name).name
