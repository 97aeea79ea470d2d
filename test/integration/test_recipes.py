# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What recipes add to plain training, through whole runs of a few steps: scale, averages, semantics, warm starts."""

from __future__ import annotations

import dataclasses
import re
import shutil

import cv2
import numpy as np
import pytest
import torch

from depth_node.checkpoints.depth import load_checkpoint, read_info, restate
from depth_node.config.network import NetworkConfig
from depth_node.config.recipes import read_settings_file
from depth_node.config.setting import build
from depth_node.config.training import AugmentConfig, DistillationConfig, LossConfig, TrainConfig
from depth_node.datasets.triplets import open_splits
from depth_node.errors import TrainingError
from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.formats import OxtsPacket, write_oxts
from depth_node.kitti.timestamps import write_timestamps
from depth_node.training.fit import fit
from depth_node.training.run.metrics_file import read_metrics

HEIGHT, WIDTH, FRAMES = 64, 96, 4
LITE = NetworkConfig(height=HEIGHT, width=WIDTH, pose="posenet")
ONE_STEP = TrainConfig(batch_size=1, steps=1, log_every=1, workers=0, device="cpu", pretrained=False)
MEASURED = OxtsPacket(vf=10.0)


def write_drive(root, seed=0, focal=60.0, oxts=None):
    """Three-and-a-bit triplets past a textured wall, with a right camera 0.54 m beside the left one."""
    drive = root / "2024_01_01/2024_01_01_drive_0001_sync"
    for camera in ("image_02", "image_03"):
        (drive / camera / "data").mkdir(parents=True)
    K = np.array([[focal, 0, 47.5], [0, focal, 31.5], [0, 0, 1]])
    write_calibration(drive.parent, K, WIDTH, HEIGHT, stamp_ns=0)
    path = drive.parent / "calib_cam_to_cam.txt"
    right = f"P_rect_03: {focal} 0 47.5 {-0.54 * focal} 0 {focal} 31.5 0 0 0 1 0"
    path.write_text(re.sub(r"(?m)^P_rect_03: .*$", right, path.read_text()))
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 16, 3), np.uint8)
    wall = cv2.resize(coarse, (2 * WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for index in range(FRAMES):
        for camera, shift in (("image_02", 3 * index), ("image_03", 3 * index + 6)):
            cv2.imwrite(str(drive / camera / f"data/{index:010d}.png"), wall[:, shift : shift + WIDTH])
        if oxts is not None:
            write_oxts(drive / f"oxts/data/{index:010d}.txt", oxts)
    write_timestamps(drive / "image_02/timestamps.txt", [index * 100_000_000 for index in range(FRAMES)])
    return root


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_drive(tmp_path_factory.mktemp("kitti"), oxts=MEASURED)


def run(root, folder, config, network=LITE):
    """Train and load what came of it."""
    train, _ = open_splits(root, HEIGHT, WIDTH, stereo=config.stereo, distances=config.loss.velocity > 0)
    return load_checkpoint(fit(train, None, network, config, folder))


def with_loss(**settings):
    return dataclasses.replace(ONE_STEP, loss=LossConfig(**settings))


def test_stereo_pairs_say_what_a_unit_is_and_averages_are_saved(root, tmp_path):
    config = dataclasses.replace(ONE_STEP, stereo=True, ema=0.5, steps=3, learning_rate=1e-2, decay_at=1.0)
    trained = run(root, tmp_path / "run", config)
    assert trained.info.scale == pytest.approx(5.4)
    assert trained.info.scale_source == "stereo_baseline"
    state = torch.load(tmp_path / "run/last.ckpt", weights_only=True, mmap=True)
    saved = trained.depth.state_dict()["encoder.stages.0.0.weight"]
    assert torch.equal(saved, state["average"]["module.depth.encoder.stages.0.0.weight"])
    assert not torch.equal(saved, state["networks"]["depth.encoder.stages.0.0.weight"])


def test_driven_distance_makes_metres(root, tmp_path):
    config = with_loss(velocity=0.1)
    trained = run(root, tmp_path / "run", config)
    assert (trained.info.scale, trained.info.scale_source) == (1.0, "velocity")
    row = read_metrics(tmp_path / "run")[0]
    # A new pose network hardly moves, the car drove 1 m.
    assert float(row["velocity"]) == pytest.approx(1.0, abs=0.1)
    plain = run(root, tmp_path / "plain", ONE_STEP)
    assert (plain.info.scale, plain.info.scale_source) == (1.0, "none")
    rest = float(read_metrics(tmp_path / "plain")[0]["total"])
    assert float(row["total"]) == pytest.approx(rest + 0.1 * float(row["velocity"]), rel=1e-4)


def test_gradients_are_clipped(root, tmp_path):
    # Adam divides by the gradients' size plus 1e-8: far below that even a large rate hardly moves a weight.
    clipped = dataclasses.replace(ONE_STEP, learning_rate=1e-2, clip_gradient=1e-12)
    still = dataclasses.replace(ONE_STEP, learning_rate=0.0)
    one, other = (run(root, tmp_path / str(i), config).depth.state_dict() for i, config in enumerate((clipped, still)))
    moved = max(float((one[name] - other[name]).abs().max()) for name in one if name.endswith("weight"))
    assert 0 < moved < 1e-5


def test_the_guided_recipe_of_paper_a_runs(root, tmp_path, make_semantic_checkpoint):
    make_semantic_checkpoint(tmp_path / "start.safetensors", "monodepth2_resnet18", True, HEIGHT, WIDTH)
    given = read_settings_file("tri_resnet18")
    training = {name: value for name, value in given.items() if not name.startswith("network.")}
    here = {"batch_size": 1, "steps": 2, "workers": 0, "device": "cpu", "pretrained": False, "log_every": 1}
    start = {"semantic": str(tmp_path / "start.safetensors"), "loss.mask_moving": True}
    network = NetworkConfig("monodepth2_resnet18", "posenet", HEIGHT, WIDTH, guided=True)
    trained = run(root, tmp_path / "run", build(TrainConfig, training | here | start), network)
    assert trained.semantic is not None
    assert all(np.isfinite(float(row["total"])) for row in read_metrics(tmp_path / "run"))


def test_moving_classes_are_left_out(root, tmp_path, make_semantic_checkpoint):
    make_semantic_checkpoint(tmp_path / "start.safetensors", "lite_hr_depth", False, HEIGHT, WIDTH)
    calm = dataclasses.replace(ONE_STEP, semantic=str(tmp_path / "start.safetensors"), augment=AugmentConfig(flip=0.0))
    config = dataclasses.replace(calm, loss=LossConfig(mask_moving=True))
    masked, whole = run(root, tmp_path / "masked", config), run(root, tmp_path / "whole", calm)
    assert masked.semantic is not None
    assert whole.info.training["settings"]["loss.mask_moving"] is False
    # Random semantics find moving things in these pictures: other pixels are scored.
    identity = [float(read_metrics(tmp_path / name)[0]["identity"]) for name in ("masked", "whole")]
    assert identity[0] != pytest.approx(identity[1], rel=1e-6)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (with_loss(mask_moving=True), "name its checkpoint with --semantic"),
        (dataclasses.replace(with_loss(velocity=0.1), stereo=True), "set two scales at once"),
    ],
)
def test_settings_that_cannot_be_met_are_one_line(root, tmp_path, config, says):
    with pytest.raises(TrainingError, match=says):
        run(root, tmp_path / "run", config)
    assert not (tmp_path / "run").exists()


def test_a_teacher_and_the_data_must_agree_on_the_unit(root, tmp_path, small_checkpoint):
    teacher = tmp_path / "teacher.safetensors"
    shutil.copy(small_checkpoint, teacher)
    learning = DistillationConfig(teacher=str(teacher))
    both = dataclasses.replace(ONE_STEP, stereo=True, distillation=learning)
    restate(teacher, dataclasses.replace(read_info(teacher), camera=None, scale=10.0, scale_source="lidar"))
    with pytest.raises(TrainingError, match=r"in a unit of 10 m, stereo pairs set one of 5\.4 m: leave one"):
        run(root, tmp_path / "run", both)
    with pytest.raises(TrainingError, match=r"in a unit of 10 m, the speed sets one of 1 m"):
        run(root, tmp_path / "run", dataclasses.replace(with_loss(velocity=0.1), distillation=learning))
    restate(teacher, dataclasses.replace(read_info(teacher), scale=1.0, scale_source="none"))
    with pytest.raises(TrainingError, match=r"in an unknown unit"):
        run(root, tmp_path / "run", both)
    restate(teacher, dataclasses.replace(read_info(teacher), scale=5.4, scale_source="lidar"))
    assert run(root, tmp_path / "run", both).info.scale_source == "stereo_baseline"


def test_a_drive_without_speeds_cannot_teach_metres(tmp_path):
    silent = write_drive(tmp_path / "kitti", oxts=OxtsPacket())
    with pytest.raises(TrainingError, match=r"no frame has a speed .* set --loss\.velocity 0"):
        run(silent, tmp_path / "run", with_loss(velocity=0.1))


def test_fine_tuning_starts_from_pretraining_on_other_drives(root, tmp_path):
    other = write_drive(tmp_path / "city", seed=5, focal=90.0)
    first = run(other, tmp_path / "city_run", dataclasses.replace(ONE_STEP, learning_rate=1e-3))
    start = str(tmp_path / "city_run/last.safetensors")
    second = run(root, tmp_path / "kitti_run", dataclasses.replace(ONE_STEP, initial=start, learning_rate=0.0))
    for name in ("depth", "pose"):
        before, after = getattr(first, name).state_dict(), getattr(second, name).state_dict()
        assert all(torch.equal(before[key], after[key]) for key in before if key.endswith("weight"))
    assert (first.info.camera.fx, second.info.camera.fx) == (90.0, 60.0)
