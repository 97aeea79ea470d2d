# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Labels are written once, for every picture, by a teacher that may be used."""

from __future__ import annotations

import json

import pytest

from depth_node.checkpoints.depth import read_info
from depth_node.cli.main import main
from depth_node.config.teacher import TeacherConfig
from depth_node.datasets.teacher_labels import TeacherLabels
from depth_node.datasets.triplets import open_splits
from depth_node.errors import TeacherError
from depth_node.kitti.search import find_sequences
from depth_node.teachers.labelling import write_labels

SMALL = ["--network.width", "64", "--network.height", "64", "--network.pose", "posenet", "--no_pretrained"]
QUICK = [*SMALL, "--batch_size", "2", "--steps", "2", "--workers", "0", "--device", "cpu"]


@pytest.fixture
def frames(drives):
    return [(sequence, frame) for sequence in find_sequences(drives) for frame in sequence.frames]


def test_what_is_there_is_not_done_again(onnx_teacher, frames, tmp_path):
    path, folder = onnx_teacher(), tmp_path / "labels"
    labels = write_labels(f"onnx:{path}", TeacherConfig(), frames[:3], folder)
    times = {labels.path(*frame): labels.path(*frame).stat().st_mtime_ns for frame in frames[:3]}
    labels.path(*frames[1]).unlink()
    write_labels(f"onnx:{path}", TeacherConfig(), frames, folder)
    assert all(labels.path(*frame).exists() for frame in frames)
    kept = [labels.path(*frames[index]) for index in (0, 2)]
    assert [path.stat().st_mtime_ns for path in kept] == [times[path] for path in kept]
    path.unlink()  # nothing is missing: the teacher is not needed any more
    write_labels(f"onnx:{path}", TeacherConfig(), frames, folder)


def test_a_teacher_that_may_not_be_used_writes_nothing(onnx_teacher, frames, tmp_path):
    path, folder = onnx_teacher(licence="CC-BY-NC-4.0"), tmp_path / "labels"
    with pytest.raises(TeacherError, match="CC-BY-NC"):
        write_labels(f"onnx:{path}", TeacherConfig(), frames, folder)
    assert not folder.exists()
    write_labels(f"onnx:{path}", TeacherConfig(accept_license=True), frames[:1], folder)
    assert json.loads((folder / "labels.json").read_text())["licence"] == "CC-BY-NC-4.0"


def test_a_checkpoint_can_write_its_labels_too(small_checkpoint, frames, tmp_path):
    labels = write_labels(str(small_checkpoint), TeacherConfig(device="cpu"), frames[:1], tmp_path / "labels")
    sequence, frame = frames[0]
    found = labels.read(sequence, frame, 32, 64)
    assert found.isfinite().float().mean() > 0.5


def test_distill_from_a_file_end_to_end(onnx_teacher, drives, tmp_path, capsys):
    path, run = onnx_teacher(), tmp_path / "run"
    given = ["distill", "--teacher", f"onnx:{path}", "--data", str(drives), "--output", str(run), *QUICK]
    assert main(given) == 0
    labels = TeacherLabels(tmp_path / "run_labels")
    train, _ = open_splits(drives, 64, 64)
    assert all(labels.path(*target).exists() for target in train.targets)
    info = read_info(run / "last.safetensors")
    assert (info.scale, info.scale_source) == (1.0, "teacher")
    assert "distillation" in (run / "metrics.csv").read_text()
    capsys.readouterr()
    assert main(["inspect", str(run / "last.safetensors")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "onnx:teacher.onnx" in said
    assert "licence Apache-2.0" in said
    # A second run by the labels alone; and the first goes on without its teacher.
    path.unlink()
    again = [word if word != f"onnx:{path}" else f"labels:{labels.folder}" for word in given]
    again[again.index(str(run))] = str(tmp_path / "second")
    assert main([*again, "--teacher_only"]) == 0
    assert main(["distill", "--data", str(drives), "--output", str(run), "--resume", "--steps", "2"]) == 0


def test_labels_that_are_not_there_are_one_line(drives, tmp_path, capsys):
    given = ["distill", "--teacher", f"labels:{tmp_path}", "--data", str(drives), "--output", str(tmp_path / "run")]
    assert main([*given, *QUICK]) == 1
    error = capsys.readouterr().err
    assert "holds no labels of a teacher" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_restricted_teacher_restricts_its_students(onnx_teacher, drives, tmp_path, capsys):
    teacher = f"onnx:{onnx_teacher(licence='CC-BY-NC-4.0')}"
    given = ["distill", "--teacher", teacher, "--data", str(drives), "--output", str(tmp_path / "run"), *QUICK]
    assert main(given) == 1
    assert "CC-BY-NC-4.0" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    assert main([*given, "--teacher.accept_license"]) == 0
    info = read_info(tmp_path / "run/last.safetensors")
    assert info.licence == "CC-BY-NC-4.0 of the teacher onnx:teacher.onnx"
    assert info.restricted
