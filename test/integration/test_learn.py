# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Street -> bag -> sequence -> training -> checkpoint, all real, on few small frames."""

import csv
import dataclasses
import shutil

import pytest
import torch

from depth_node.checkpoints.depth import load_checkpoint, read_info, restate
from depth_node.cli.main import main

TRAIN = [
    *("--network.height", "64", "--network.width", "192", "--network.pose", "posenet", "--no_pretrained"),
    *("--batch_size", "2", "--workers", "0", "--log_every", "1", "--save_every", "4", "--device", "cpu"),
]

# Few steps only show that the loss falls where nothing random hides it. Without the auto-mask, the networks first
# learn what takes them thousands of steps otherwise: to be no worse than standing still.
EASY = ("--augment.flip", "0", "--augment.jitter", "0", "--no_loss.auto_mask")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learn")
    street = [*("--frames", "14", "--width", "192", "--height", "64"), "--no_lead_car", "--no_lidar", "--workers", "1"]
    assert main(["simulate", "--output", str(folder / "street"), "--seed", "3", *street]) == 0
    assert main(["record", str(folder / "street/bag"), "--output", str(folder / "recorded")]) == 0
    return folder


def train(recorded, run, *more):
    return main(["train", "--data", str(recorded / "recorded"), "--output", str(run), *TRAIN, *more])


def rows(run):
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trained(recorded, tmp_path_factory):
    run = tmp_path_factory.mktemp("run") / "first"
    assert train(recorded, run, "--steps", "40", "--learning_rate", "1e-3", *EASY) == 0
    return run


def test_a_run_folder_holds_what_it_promises(trained):
    names = {path.name for path in trained.iterdir()}
    assert {"best.safetensors", "last.safetensors", "last.ckpt", "metrics.csv", "config.yaml"} <= names
    assert any(name.startswith("events.out.tfevents") for name in names)
    assert not [name for name in names if name.startswith(".")]


def test_tensorboard_says_what_the_table_says(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(trained), size_guidance={"images": 0, "scalars": 0})
    board.Reload()
    lines = [row for row in rows(trained) if row["stage"] == "train"]
    for tag, column in (("total", "total"), ("learning_rate", "learning_rate"), ("epoch", "epoch")):
        found = board.Scalars(f"train/{tag}")
        assert [event.step for event in found] == [int(row["step"]) for row in lines]
        assert [event.value for event in found] == pytest.approx([float(row[column]) for row in lines], rel=1e-4)
    assert {event.value for event in board.Scalars("train/epoch")} != {0.0}
    assert any(tag.startswith("val/image_disparity_warped_taught") for tag in board.Tags()["images"])


def test_the_loss_of_one_triplet_falls(recorded, tmp_path):
    """With more than one, forty steps are ruled by which is drawn and, soon, by how a processor rounds."""
    shutil.copytree(recorded / "recorded", tmp_path / "recorded")
    split = tmp_path / "recorded/splits/train_files.txt"
    split.write_text(split.read_text().splitlines()[4] + "\n")
    alone = ("--batch_size", "1", "--steps", "40", "--learning_rate", "3e-4")
    assert train(tmp_path, tmp_path / "run", *alone, *EASY) == 0
    losses = [float(row["total"]) for row in rows(tmp_path / "run") if row["stage"] == "train"]
    assert len(losses) == 40
    assert sum(losses[-10:]) < 10 * 0.98 * losses[0]


def test_checkpoint_describes_the_run_and_gives_depth(trained):
    checkpoint = load_checkpoint(trained / "last.safetensors")
    assert checkpoint.info.training["steps"] == 40
    assert checkpoint.info.camera.fx == pytest.approx(0.58 * 192, rel=1e-3)
    assert checkpoint.pose is not None
    with torch.inference_mode():
        disparity = checkpoint.depth(torch.rand(1, 3, 64, 192), scales=1)[0]
    assert disparity.shape == (1, 1, 64, 192)
    assert ((disparity > 0) & (disparity < 1)).all()


def test_resume_continues_the_same_file(recorded, trained, tmp_path):
    run = tmp_path / "resumed"
    shutil.copytree(trained, run)
    before = rows(run)
    assert train(recorded, run, "--steps", "43", "--resume") == 0
    after = rows(run)
    assert after[: len(before)] == before
    assert [int(row["step"]) for row in after if row["stage"] == "train"] == list(range(1, 44))
    assert load_checkpoint(run / "last.safetensors").info.training["steps"] == 43


def test_the_frame_cache_changes_no_number(recorded, trained, tmp_path):
    cache = ("--cache", str(tmp_path / "cache"))
    assert train(recorded, tmp_path / "run", "--steps", "3", "--learning_rate", "1e-3", *EASY, *cache) == 0
    mine, theirs = (
        [row["total"] for row in rows(run) if row["stage"] == "train"] for run in (tmp_path / "run", trained)
    )
    assert mine[:2] == theirs[:2]  # later on the learning rate has fallen in the shorter run
    assert list((tmp_path / "cache").rglob("*.rgb"))


def test_starting_from_a_checkpoint_takes_its_weights(recorded, trained, tmp_path):
    run = tmp_path / "warm"
    start = tmp_path / "start.safetensors"
    restate(
        trained / "last.safetensors", dataclasses.replace(read_info(trained / "last.safetensors"), licence="MIT"), start
    )
    still = ("--steps", "1", "--learning_rate", "0", "--initial", str(start))
    assert train(recorded, run, *still) == 0
    assert read_info(run / "last.safetensors").licence == "MIT"  # goes on with the weights
    assert read_info(trained / "last.safetensors").licence == ""
    old, new = (load_checkpoint(folder / "last.safetensors").depth.state_dict() for folder in (trained, run))
    weights = [name for name in old if name.endswith("weight")]
    assert all(torch.equal(old[name], new[name]) for name in weights)


def test_a_student_comes_closer_to_its_teacher(recorded, trained, tmp_path):
    run = tmp_path / "student"
    teacher = ("--distillation.teacher", str(trained / "last.safetensors"), "--no_distillation.photometric")
    assert train(recorded, run, "--steps", "12", "--learning_rate", "1e-3", "--seed", "1", *teacher) == 0
    differences = [float(row["distillation"]) for row in rows(run) if row["stage"] == "train"]
    assert sum(differences[-3:]) < 0.8 * sum(differences[:3])
    assert not [name for name in load_checkpoint(run / "last.safetensors").depth.state_dict() if "teacher" in name]


def test_distill_needs_only_a_teacher_and_data(recorded, trained, tmp_path):
    teacher, run = tmp_path / "teacher.safetensors", tmp_path / "student"
    shutil.copy(trained / "last.safetensors", teacher)
    restate(teacher, dataclasses.replace(read_info(teacher), scale=3.0, scale_source="lidar"))
    short = ("--steps", "2", "--batch_size", "2", "--workers", "0", "--log_every", "1", "--device", "cpu")
    data = ("--data", str(recorded / "recorded"), "--output", str(run), "--no_pretrained")
    assert main(["distill", "--teacher", str(teacher), *data, *short, "--distillation.compare", "disparity"]) == 0
    student = load_checkpoint(run / "last.safetensors")
    assert (student.info.network.height, student.info.network.width) == (64, 192)
    assert (student.info.scale, student.info.scale_source) == (3.0, "lidar")
    assert all(float(row["distillation"]) > 0 and float(row["photometric"]) > 0 for row in rows(run))


def test_evaluation_against_exact_depth(recorded, trained, capsys):
    arguments = ["--sequence", str(recorded / "recorded"), "--ground_truth_dir", str(recorded / "street/ground_truth")]
    assert main(["evaluate", "--checkpoint", str(trained / "last.safetensors"), *arguments]) == 0
    shown = capsys.readouterr().out
    for name in ("abs_rel", "sq_rel", "rmse", "rmse_log", "a1", "a2", "a3"):
        assert name in shown


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--data", "nowhere"], "no folder nowhere"),
        (["--batch_size", "1000"], "lower --batch_size"),
        (["--initial", "missing.safetensors"], "missing.safetensors"),
        (["--network.height", "100"], "multiple of 32"),
        (["--resume"], "start without --resume"),
        (["--seed", "5000000000"], "out of bounds"),
    ],
)
def test_mistakes_get_one_line_and_leave_nothing(recorded, tmp_path, capsys, arguments, complaint):
    run = tmp_path / "run"
    assert train(recorded, run, "--steps", "2", *arguments) == 1
    complaints = capsys.readouterr().err.strip().splitlines()
    assert len(complaints) == 1
    assert complaint in complaints[0]
    assert not run.exists()


def test_a_file_is_no_run_folder(recorded, tmp_path, capsys):
    (tmp_path / "run").write_text("mine")
    for more in ((), ("--resume_if_exists",), ("--two-stage",)):
        assert train(recorded, tmp_path / "run", "--steps", "2", *more) == 1
        assert "is a file: choose another --output" in capsys.readouterr().err


def test_a_run_folder_in_use_is_refused(recorded, trained, capsys):
    assert train(recorded, trained, "--steps", "2") == 1
    assert "add --resume" in capsys.readouterr().err
