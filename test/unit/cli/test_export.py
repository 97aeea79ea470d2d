# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`depth export`, from the command line to its files."""

from __future__ import annotations

import shutil
import sys

import pytest

from depth_node.checkpoints.depth import load_checkpoint, save_checkpoint
from depth_node.cli.main import main
from depth_node.networks.factory import build_pose_network


@pytest.fixture
def training_checkpoint(checkpoint_file, tmp_path):
    """The small checkpoint with the pose network that training leaves in it."""
    path = tmp_path / "last.safetensors"
    saved = load_checkpoint(checkpoint_file)
    save_checkpoint(path, saved.info, saved.depth, build_pose_network(saved.info.network))
    return path


def test_a_lean_checkpoint(training_checkpoint, tmp_path, capsys):
    sizes = [training_checkpoint.stat().st_size]
    for flags in ([], ["--half"]):
        path = tmp_path / f"lean{len(flags)}.safetensors"
        assert main(["export", str(training_checkpoint), "--output", str(path), *flags]) == 0
        assert load_checkpoint(path).pose is None
        assert "lite_hr_depth, input 192x64" in capsys.readouterr().out
        sizes.append(path.stat().st_size)
    assert sizes[1] < 0.5 * sizes[0]
    assert sizes[2] < 0.6 * sizes[1]


def test_a_program_is_compared_unless_told_otherwise(checkpoint_file, tmp_path, capsys):
    assert main(["export", str(checkpoint_file), "--output", str(tmp_path / "network.pt2")]) == 0
    assert "largest difference to PyTorch: depth" in capsys.readouterr().out
    assert main(["export", str(checkpoint_file), "--output", str(tmp_path / "other.pt2"), "--no_verify"]) == 0
    assert "PyTorch" not in capsys.readouterr().out


def test_without_onnxruntime_it_says_so(checkpoint_file, tmp_path, capsys, monkeypatch):
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main(["export", str(checkpoint_file), "--output", str(tmp_path / "network.onnx")]) == 0
    shown = capsys.readouterr()
    assert "not compared with PyTorch: pip install onnxruntime" in shown.out
    assert shown.err == ""
    assert (tmp_path / "network.onnx").stat().st_size > 1e6


def test_failures_are_one_line(checkpoint_file, tmp_path, capsys):
    shutil.copy(checkpoint_file, tmp_path / "cut.safetensors")
    with (tmp_path / "cut.safetensors").open("r+b") as file:
        file.truncate(1000)
    for checkpoint, output, says in (
        (checkpoint_file, "network.tflite", "'.tflite' of"),
        (checkpoint_file, "network", "'' of"),
        (checkpoint_file, "cut.safetensors/network.onnx", "cannot write"),
        (tmp_path / "cut.safetensors", "network.onnx", "is damaged or cut off"),
        (tmp_path / "none.safetensors", "network.pt2", "does not exist"),
        (tmp_path / "cut.safetensors", "../" + tmp_path.name + "/cut.safetensors", "would lose its pose network"),
    ):
        assert main(["export", str(checkpoint), "--output", str(tmp_path / output)]) == 1
        complaints = capsys.readouterr().err.strip().splitlines()
        assert len(complaints) == 1
        assert complaints[0].startswith("depth export: ")
        assert says in complaints[0]
    assert [path.name for path in tmp_path.iterdir()] == ["cut.safetensors"]
