# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Two processes over gloo do what one does: the same curve, the same numbers, one complaint."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from depth_node.checkpoints.depth import load_checkpoint
from depth_node.cli.main import main
from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.formats import write_depth
from depth_node.kitti.search import find_sequences

ROOT = Path(__file__).parents[2]
HEIGHT, WIDTH, FRAMES = 64, 96, 14
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
TRAIN = [
    *("--network.height", str(HEIGHT), "--network.width", str(WIDTH), "--network.pose", "posenet", "--no_pretrained"),
    *("--batch_size", "4", "--workers", "0", "--log_every", "1", "--save_every", "3", "--device", "cpu"),
    # Adam's first steps are as long for a weight whose gradient is rounding as for any other; short ones keep apart
    # what sums in another order do from what a mistake does.
    *("--learning_rate", "1e-5", "--decay_factor", "1", "--ema", "0.9"),
]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def drive(tmp_path_factory):
    """Pictures of a texture that slides by, with measured depth."""
    root = tmp_path_factory.mktemp("data")
    folder = root / "2024_01_01/2024_01_01_drive_0001_sync"
    pictures = folder / "image_02/data"
    pictures.mkdir(parents=True)
    K = np.array([[60.0, 0, 47.5], [0, 60, 31.5], [0, 0, 1]])
    write_calibration(folder.parent, K, WIDTH, HEIGHT, stamp_ns=0)
    noise = np.random.default_rng(0).integers(0, 256, (16, 60, 3)).astype(np.uint8)
    texture = cv2.resize(noise, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    for index in range(FRAMES):
        cv2.imwrite(str(pictures / f"{index:010d}.png"), texture[:, 3 * index : 3 * index + WIDTH])
    sequence = find_sequences(root)[0]
    for index in range(FRAMES):
        write_depth(sequence.depth_path(index), np.full((HEIGHT, WIDTH), 5.0 + index))
    return root


def command(drive, run, *more):
    return ["train", "--data", str(drive), "--output", str(run), *TRAIN, *more]


def in_two(*arguments):
    """`depth` in two processes: exit status, standard output and standard error."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*TORCHRUN, "-m", "depth_node.cli.main", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def rows(run):
    with (run / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def assert_same_curve(run, other, tolerance, stages=("train", "val")):
    ours, theirs = ([row for row in rows(each) if row["stage"] in stages] for each in (run, other))
    assert [(row["step"], row["stage"]) for row in ours] == [(row["step"], row["stage"]) for row in theirs]
    for name in ("total", "photometric", "identity", "smoothness", "distillation", "learning_rate"):
        values = [[float(row[name]) for row in each] for each in (ours, theirs)]
        np.testing.assert_allclose(*values, rtol=0, atol=tolerance, err_msg=name)


@pytest.fixture(scope="module")
def alone(drive, tmp_path_factory):
    run = tmp_path_factory.mktemp("alone") / "run"
    assert main(command(drive, run, "--steps", "8")) == 0
    return run


@pytest.fixture(scope="module")
def shared(drive, tmp_path_factory):
    run = tmp_path_factory.mktemp("shared") / "run"
    done = in_two(*command(drive, run, "--steps", "8"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("checkpoint:") == 1
    return run


def test_the_curve_is_that_of_one_process(alone, shared):
    assert_same_curve(alone, shared, 1e-4)
    assert len([row for row in rows(shared) if row["stage"] == "val"]) == 4


def test_one_checkpoint_is_left(alone, shared):
    names = [{path.name for path in run.iterdir() if "tfevents" not in path.name} for run in (alone, shared)]
    assert names[0] == names[1]
    weights = [load_checkpoint(run / "last.safetensors").depth.state_dict() for run in (alone, shared)]
    assert all(abs(weights[0][name] - weights[1][name]).max() < 1e-3 for name in weights[0])


def test_a_run_goes_on_in_another_number_of_processes(drive, alone, tmp_path):
    run = tmp_path / "run"
    assert main(command(drive, run, "--steps", "3")) == 0
    done = in_two(*command(drive, run, "--steps", "6", "--resume_if_exists"))
    assert done.returncode == 0, done.stderr
    assert main(command(drive, run, "--steps", "8", "--resume")) == 0
    assert_same_curve(alone, run, 1e-4, stages=("train",))  # each part ends with a validation of its own
    assert [row["step"] for row in rows(run) if row["stage"] == "val"] == ["2", "3", "4", "6", "8"]


def test_a_teacher_alone_teaches_two_processes(drive, alone, tmp_path):
    teacher = ("--distillation.teacher", str(alone / "last.safetensors"), "--no_distillation.photometric")
    extra = ("--steps", "4", "--seed", "1", *teacher)
    assert main(command(drive, tmp_path / "one", *extra)) == 0
    done = in_two(*command(drive, tmp_path / "two", *extra))
    assert done.returncode == 0, done.stderr
    assert_same_curve(tmp_path / "one", tmp_path / "two", 1e-4)


def test_evaluation_is_the_same(drive, alone, one_thread, tmp_path):
    arguments = ["evaluate", "--checkpoint", str(alone / "last.safetensors"), "--sequence", str(drive)]
    arguments += ["--device", "cpu", "--crop", "none"]
    assert main([*arguments, "--json", str(tmp_path / "one.json")]) == 0
    done = in_two(*arguments, "--json", str(tmp_path / "two.json"), "--pictures", str(tmp_path / "pictures"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("abs_rel") == 1
    one, two = (json.loads((tmp_path / name).read_text())["checkpoints"][0] for name in ("one.json", "two.json"))
    assert one["frames"] == two["frames"]
    assert one["metrics"] == two["metrics"]
    assert len(one["frames"]) == FRAMES
    assert any((tmp_path / "pictures").iterdir())


@pytest.mark.parametrize(
    ("arguments", "complaint"), [(("--batch_size", "3"), "multiple of 2"), (("--initial", "missing"), "missing")]
)
def test_a_mistake_is_told_once(drive, tmp_path, arguments, complaint):
    done = in_two(*command(drive, tmp_path / "run", "--steps", "2", *arguments))
    assert done.returncode == 1
    complaints = [line for line in done.stderr.splitlines() if line.startswith("depth train:")]
    assert len(complaints) == 1
    assert complaint in complaints[0]
    assert not (tmp_path / "run").exists()
