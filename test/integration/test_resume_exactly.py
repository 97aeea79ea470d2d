# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A run that is killed or interrupted at any moment and resumed has the curve of one that was not."""

import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from depth_node.checkpoints.depth import load_checkpoint
from depth_node.cli.main import main
from depth_node.kitti.calibration import write_calibration
from depth_node.training.module import SelfSupervisedModule

ROOT = Path(__file__).parents[2]
HEIGHT, WIDTH, FRAMES = 64, 96, 20
TRAIN = [
    *("--network.height", str(HEIGHT), "--network.width", str(WIDTH), "--network.pose", "posenet", "--no_pretrained"),
    *("--batch_size", "4", "--workers", "0", "--log_every", "1", "--save_every", "3", "--device", "cpu"),
    *("--ema", "0.9"),
]
PATIENCE = 250


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    """Pictures of a texture that slides by: 14 targets to learn from, 2 to validate on."""
    root = tmp_path_factory.mktemp("data")
    pictures = root / "2024_01_01/2024_01_01_drive_0001_sync/image_02/data"
    pictures.mkdir(parents=True)
    K = np.array([[60.0, 0, 47.5], [0, 60, 31.5], [0, 0, 1]])
    write_calibration(root / "2024_01_01", K, WIDTH, HEIGHT, stamp_ns=0)
    noise = np.random.default_rng(0).integers(0, 256, (16, 60, 3)).astype(np.uint8)
    texture = cv2.resize(noise, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    for index in range(FRAMES):
        cv2.imwrite(str(pictures / f"{index:010d}.png"), texture[:, 3 * index : 3 * index + WIDTH])
    return root


def command(drive, run, *more):
    return ["train", "--data", str(drive), "--output", str(run), *TRAIN, "--steps", "12", *more]


def rows(run):
    """What metrics.csv says, but for the speed."""
    with (run / "metrics.csv").open() as file:
        written = list(csv.DictReader(file))
    return [{name: cell for name, cell in row.items() if name != "samples_per_second"} for row in written]


@pytest.fixture(scope="module")
def whole(drive, one_thread, tmp_path_factory):
    run = tmp_path_factory.mktemp("whole") / "run"
    assert main(command(drive, run)) == 0
    return run


def start(drive, run, *more):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "depth_node.cli.main", *command(drive, run, *more)]
    return subprocess.Popen(
        program,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # as a shell starts it: signals reach it and its readers together
    )


def wait_for_step(process, run, step):
    """Return as soon as metrics.csv has a line of a step."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        if (run / "metrics.csv").exists() and any(int(row["step"]) >= step for row in rows(run)):
            return
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()[1]
    raise AssertionError(f"step {step} was not reached")


def assert_same(run, whole):
    assert rows(run) == rows(whole)
    ours, theirs = (load_checkpoint(each / "last.safetensors").depth.state_dict() for each in (run, whole))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    best = [load_checkpoint(each / "best.safetensors").info.training["steps"] for each in (run, whole)]
    assert best[0] == best[1]


def assert_terminated(drive, run):
    """Run until a SIGTERM that the test has arranged."""
    with pytest.raises(SystemExit) as ended:
        main(command(drive, run))
    assert ended.value.code == 128 + signal.SIGTERM


def test_the_steps_are_all_there(whole):
    assert [int(row["step"]) for row in rows(whole) if row["stage"] == "train"] == list(range(1, 13))
    assert [int(row["step"]) for row in rows(whole) if row["stage"] == "val"] == [3, 6, 9, 12]


@pytest.mark.slow
def test_killed_at_a_random_moment(drive, whole, tmp_path):
    """Twice, so that a run that was resumed is killed as well."""
    run = tmp_path / "run"
    moment = random.Random(os.getpid())
    for first, last in ((4, 6), (8, 10)):
        process = start(drive, run, "--resume_if_exists")
        wait_for_step(process, run, moment.randint(first, last))
        time.sleep(moment.uniform(0, 0.3))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    process = start(drive, run, "--resume_if_exists")
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output + errors
    assert_same(run, whole)
    assert not [path for path in run.iterdir() if path.name.startswith(".")]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_saves_the_step_it_was_at(drive, whole, tmp_path, number):
    run = tmp_path / "run"
    process = start(drive, run, "--save_every", "100", "--workers", "1")
    wait_for_step(process, run, 5)
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + number
    assert "is saved: add --resume" in errors
    assert "Traceback" not in errors
    assert (run / "report.md").exists()
    saved = load_checkpoint(run / "last.safetensors").info.training["steps"]
    assert 5 <= saved < 12
    process = start(drive, run, "--save_every", "100", "--resume")
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output + errors
    assert_same(run, whole)


@pytest.mark.slow
def test_an_interrupted_validation_is_made_up_for(drive, whole, tmp_path, monkeypatch):
    run = tmp_path / "run"
    score = SelfSupervisedModule.validation_step
    calls = []

    def interrupt(self, *arguments):
        calls.append(arguments)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGTERM)
        return score(self, *arguments)

    monkeypatch.setattr(SelfSupervisedModule, "validation_step", interrupt)
    assert_terminated(drive, run)
    assert max(int(row["step"]) for row in rows(run) if row["stage"] == "val") == 3
    assert main(command(drive, run, "--resume")) == 0
    assert_same(run, whole)


@pytest.mark.slow
def test_a_signal_in_the_last_step_waits_for_the_last_validation(drive, whole, tmp_path, monkeypatch):
    run = tmp_path / "run"
    step = SelfSupervisedModule.training_step

    def interrupt(self, batch, number):
        if number == 11:
            signal.raise_signal(signal.SIGTERM)
        return step(self, batch, number)

    monkeypatch.setattr(SelfSupervisedModule, "training_step", interrupt)
    assert_terminated(drive, run)
    assert_same(run, whole)
    assert main(command(drive, run, "--resume")) == 0
    assert_same(run, whole)


def test_a_kill_in_the_last_validation_is_made_up_for(drive, whole, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    state = torch.load(run / "last.ckpt", weights_only=True)
    state["position"]["validated"] = 9
    state["position"]["rows"] -= 1
    torch.save(state, run / "last.ckpt")
    (run / "report.md").unlink()
    assert main(["train", "--data", str(drive), "--output", str(run), "--resume"]) == 0
    assert_same(run, whole)
    assert (run / "report.md").exists()
    assert torch.load(run / "last.ckpt", weights_only=True)["position"]["validated"] == 12


def test_epochs_are_not_hidden_by_the_steps_of_the_first_start(drive, whole, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    assert main(["train", "--data", str(drive), "--output", str(run), "--resume", "--epochs", "5"]) == 0
    assert [row["step"] for row in rows(run)][-1] == "15"


def test_a_run_goes_on_without_what_it_started_from(drive, whole, tmp_path):
    start, run = tmp_path / "start.safetensors", tmp_path / "run"
    shutil.copy(whole / "last.safetensors", start)
    assert main(command(drive, run, "--initial", str(start), "--steps", "3")) == 0
    start.unlink()
    assert main(["train", "--data", str(drive), "--output", str(run), "--resume", "--steps", "4"]) == 0
    assert [row["step"] for row in rows(run)][-1] == "4"


def test_a_student_goes_on_with_its_own_flags(drive, whole, tmp_path, capsys):
    run = tmp_path / "run"
    short = ("--batch_size", "4", "--workers", "0", "--device", "cpu", "--log_every", "1", "--no_pretrained")
    teacher = ("--teacher", str(whole / "last.safetensors"), "--teacher_only", "--student", "lite_hr_depth")
    assert main(["distill", "--data", str(drive), "--output", str(run), "--steps", "2", *teacher, *short]) == 0
    assert main(["distill", "--data", str(drive), "--output", str(run), "--steps", "3", "--resume"]) == 0
    assert "val difference to the teacher" in capsys.readouterr().out
    assert [row["step"] for row in rows(run)][-1] == "3"


def test_the_present_rates_count(drive, whole, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    rates = ("--learning_rate", "1e-6", "--pose_learning_rate", "3e-6", "--steps", "14", "--clip_gradient", "1")
    assert main(["train", "--data", str(drive), "--output", str(run), "--resume", *rates]) == 0
    assert rows(run)[: len(rows(whole))] == rows(whole)
    more = [row for row in rows(run) if row["stage"] == "train" and int(row["step"]) > 12]
    assert [float(row["learning_rate"]) for row in more] == pytest.approx([1e-7, 1e-7])  # it fell after step 10 of 14
    state = torch.load(run / "last.ckpt", weights_only=True)["optimizer"]
    assert [group["lr"] for group in state["param_groups"]] == pytest.approx([1e-7, 3e-7])
    assert min(int(each["step"]) for each in state["state"].values()) == 14


def test_a_run_knows_where_its_data_lie(drive, whole, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    assert main(["train", "--output", str(run), "--resume", "--steps", "13"]) == 0
    assert rows(run)[-1]["step"] == "13"
    (run / "run.json").unlink()
    with pytest.raises(SystemExit):
        main(["train", "--output", str(run), "--resume", "--steps", "14"])
    assert "needs --data" in capsys.readouterr().err


def test_the_last_step_is_validated_wherever_it_falls(drive, whole, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    assert main(["train", "--data", str(drive), "--output", str(run), "--resume", "--steps", "13"]) == 0
    assert [row["step"] for row in rows(run) if row["stage"] == "val"] == ["3", "6", "9", "12", "13"]


def test_other_settings_are_another_run(drive, whole, tmp_path, capsys):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    before = (run / "config.yaml").read_bytes()
    other = ("--network.pose", "pose_resnet18", "--batch_size", "2", "--learning_rate", "1e-6")
    assert main(["train", "--data", str(drive), "--output", str(run), "--resume", *other]) == 1
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert "was started with network.pose posenet (now pose_resnet18), batch_size 4 (now 2): leave" in complaint
    assert (run / "config.yaml").read_bytes() == before


def test_other_frames_are_another_run(drive, whole, tmp_path, capsys):
    run, splits = tmp_path / "run", tmp_path / "splits"
    shutil.copytree(whole, run)
    splits.mkdir()
    name = "2024_01_01/2024_01_01_drive_0001_sync"
    (splits / "train_files.txt").write_text("".join(f"{name} {frame} l\n" for frame in range(1, 12)))
    again = ("--data", str(drive), "--splits", str(splits), "--output", str(run), "--resume", "--steps", "13")
    assert main(["train", *again]) == 1
    assert "has learnt from other frames (14, now 11): give its own --data" in capsys.readouterr().err


def test_a_line_that_a_power_cut_left_is_written_again(drive, whole, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    with (run / "metrics.csv").open("ab") as file:
        file.write(bytes(200))
    assert main(["train", "--data", str(drive), "--output", str(run), "--resume", "--steps", "13"]) == 0
    assert [row["step"] for row in rows(run)][-2:] == ["13", "13"]


def test_a_loss_that_is_no_number_leaves_its_batch(drive, tmp_path, monkeypatch, capsys):
    run = tmp_path / "run"
    step = SelfSupervisedModule.training_step

    def spoil(self, batch, number):
        loss, terms = step(self, batch, number)
        return loss * float("nan") if number == 4 else loss, terms

    monkeypatch.setattr(SelfSupervisedModule, "training_step", spoil)
    assert main(command(drive, run, "--log_every", "100")) == 1
    complaints = [line for line in capsys.readouterr().err.splitlines() if line.startswith("depth train:")]
    assert len(complaints) == 1
    assert "no number at step 5" in complaints[0]
    batch = load_file(run / "nan_batch.safetensors")
    assert batch["target"].shape == (4, HEIGHT, WIDTH, 3)
    frames = json.loads((run / "nan_batch.json").read_text())["frames"]
    assert len(set(frames)) == 4
    assert all(name.startswith("2024_01_01/2024_01_01_drive_0001_sync ") for name in frames)
    assert cv2.imread(str(run / "nan_batch.png")).shape == (4 * HEIGHT, 3 * WIDTH, 3)
    last = load_checkpoint(run / "last.safetensors")
    assert last.info.training["steps"] == 3
    assert all(weights.isfinite().all() for weights in last.depth.state_dict().values())


def test_the_run_folder_tells_its_story(whole):
    report = (whole / "report.md").read_text()
    assert "curves.png" in report
    assert "first.png" in report
    assert cv2.imread(str(whole / "latest.png")).shape[1] == 4 * WIDTH
    start = json.loads((whole / "run.json").read_text())["starts"][0]
    assert start["data"]["frames"] == 14
    if (ROOT / ".git").exists() and shutil.which("git"):
        head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
        assert len(start["revision"]) == len(head.stdout.strip())


def test_a_run_can_be_repeated_from_its_settings(drive, whole, tmp_path):
    run = tmp_path / "run"
    repeated = ["train", "--data", str(drive), "--output", str(run), "--config", str(whole / "config.yaml")]
    assert main([*repeated, "--steps", "2"]) == 0
    assert [row["total"] for row in rows(run)][:2] == [row["total"] for row in rows(whole)][:2]


def test_without_a_save_resume_if_exists_starts(drive, whole, tmp_path, capsys):
    run = tmp_path / "run"
    run.mkdir()
    shutil.copy(whole / "config.yaml", run)  # killed before its first save
    shutil.copy(whole / "metrics.csv", run)
    assert main(command(drive, run, "--resume_if_exists", "--steps", "1")) == 0
    assert [(row["step"], row["stage"]) for row in rows(run)] == [("1", "train"), ("1", "val")]
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    assert main(command(drive, other, "--resume_if_exists")) == 1
    assert "already holds files" in capsys.readouterr().err
