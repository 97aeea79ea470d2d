# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Both stages and the resampling between them, all real, on few small frames."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from depth_node.checkpoints.depth import read_info
from depth_node.cli.main import main
from depth_node.kitti.layout import read_split

ROOT = Path(__file__).parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
TRAIN = [
    *("--network.height", "64", "--network.width", "192", "--network.pose", "posenet", "--no_pretrained"),
    *("--batch_size", "2", "--workers", "0", "--steps", "2", "--device", "cpu", "--log_every", "1"),
]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two_stage")
    street = [*("--frames", "12", "--width", "192", "--height", "64"), "--no_lidar", "--workers", "1"]
    assert main(["simulate", "--output", str(folder / "street"), "--seed", "3", *street]) == 0
    assert main(["record", str(folder / "street/bag"), "--output", str(folder / "recorded")]) == 0
    return folder / "recorded"


def train(recorded, run, *more):
    return main(["train", "--data", str(recorded), "--output", str(run), *TRAIN, *more])


@pytest.fixture(scope="module")
def finished(recorded, tmp_path_factory):
    run = tmp_path_factory.mktemp("run") / "two"
    assert train(recorded, run, "--two-stage") == 0
    return run


def test_both_stages_leave_their_runs(recorded, finished, capsys):
    assert {path.name for path in finished.iterdir()} == {
        *("stage1", "resampled", "stage2", "two_stage.json", "config.yaml")
    }
    record = json.loads((finished / "resampled/resampled.json").read_text())
    frames = read_split(recorded / "splits/train_files.txt")
    kept = read_split(finished / "resampled/train_files.txt")
    assert record["frames"] == len(frames)
    assert len(kept) == len(frames) - record["dropped"]
    assert read_info(finished / "stage2/last.safetensors").training["frames"] == len(kept)
    state = json.loads((finished / "two_stage.json").read_text())
    assert state["stage2"] in ("best.safetensors", "last.safetensors")
    assert "training frames dropped" in state["resampled"]


def test_a_plain_run_does_not_mix_with_it(recorded, finished, tmp_path, capsys):
    before = sorted(path.name for path in finished.iterdir())
    for more in ("--resume", "--resume_if_exists"):
        assert train(recorded, finished, more) == 1
        assert "holds a two-stage run: add --two-stage --resume" in capsys.readouterr().err
    assert sorted(path.name for path in finished.iterdir()) == before


def test_resuming_does_only_what_is_missing(recorded, finished, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    assert train(recorded, run, "--two_stage") == 1
    assert "add --resume" in capsys.readouterr().err
    before = (run / "stage1/last.ckpt").stat().st_mtime_ns
    state = json.loads((run / "two_stage.json").read_text())
    # As if it had been killed while resampling.
    (run / "two_stage.json").write_text(json.dumps({"stage1": state["stage1"]}))
    for folder in ("resampled", "stage2"):
        shutil.rmtree(run / folder)
    assert train(recorded, run, "--two-stage", "--resume") == 0
    assert (run / "stage1/last.ckpt").stat().st_mtime_ns == before
    assert json.loads((run / "two_stage.json").read_text()) == state
    shown = capsys.readouterr().out
    assert state["resampled"] in shown.replace("\n", " ")
    assert f"checkpoint: {run / 'stage2'}" in shown.replace("\n", "")


def test_resampling_can_be_steered_and_nothing_is_resumed_from_nothing(recorded, tmp_path, capsys):
    run = tmp_path / "run"
    assert train(recorded, run, "--two-stage", "--resume") == 1
    assert "start without --resume" in capsys.readouterr().err
    assert not run.exists()
    assert train(recorded, run, "--two-stage", "--resampling.candidates", "network") == 1
    assert "has no semantic network" in capsys.readouterr().err
    assert (run / "stage1/last.safetensors").exists()
    assert main(["train", "--two-stage", "--data", str(recorded), "--output", str(run), "--resume"]) == 1
    assert "has no semantic network" in capsys.readouterr().err  # as the run was started
    assert train(recorded, run, "--two-stage", "--resume", "--resampling.candidates", "geometric") == 0
    assert (run / "stage2/last.safetensors").exists()
    assert "resampling.candidates: geometric" in (run / "config.yaml").read_text()
    assert train(recorded, run, "--two-stage", "--resume", "--resampling.candidates", "auto") == 1
    assert "was started with resampling.candidates geometric (now auto)" in capsys.readouterr().err


def test_splits_of_another_folder_train(recorded, finished, tmp_path):
    folder = tmp_path / "few"
    folder.mkdir()
    lines = (recorded / "splits/train_files.txt").read_text().splitlines(keepends=True)
    (folder / "train_files.txt").write_text("".join(lines[:3]))
    assert train(recorded, tmp_path / "run", "--splits", str(folder)) == 0
    assert read_info(tmp_path / "run/last.safetensors").training["frames"] == 3


@pytest.mark.slow
def test_two_processes_do_what_one_does(recorded, finished, tmp_path):
    run = tmp_path / "run"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    arguments = ["train", "--data", str(recorded), "--output", str(run), *TRAIN, "--two-stage"]
    command = [*TORCHRUN, "-m", "depth_node.cli.main", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("checkpoint:") == 1
    shared, alone = (json.loads((folder / "resampled/resampled.json").read_text()) for folder in (run, finished))
    assert [verdict["frame"] for verdict in shared["verdicts"]] == [verdict["frame"] for verdict in alone["verdicts"]]
    assert shared["dropped"] == alone["dropped"]
    assert (run / "stage2/last.safetensors").exists()
