# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A semantic network learns, is saved, goes on and is measured, all by the commands that a user has."""

from __future__ import annotations

import json
import re
import shutil

import cv2
import numpy as np
import pytest
import torch

from depth_node.checkpoints.semantic import load_semantic
from depth_node.cli import main as command
from depth_node.networks.semantic import fingerprint
from depth_node.training.run.metrics_file import read_metrics

SMALL = (
    *("--network.encoder", "tu-lcnet_050", "--network.pyramid_channels", "32", "--network.segmentation_channels", "32"),
    *("--no_pretrained", "--height", "64", "--width", "96", "--batch_size", "2", "--workers", "0"),
    *("--log_every", "1", "--save_every", "2", "--learning_rate", "0.002", "--device", "cpu"),
)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Ten pictures of a blue sky (0) over a grey road (1) with a red box (2), the last column unlabelled (77)."""
    folder = tmp_path_factory.mktemp("labelled")
    random = np.random.default_rng(0)
    for name in ("images", "labels"):
        (folder / name).mkdir()
    for index in range(10):
        labels = np.zeros((64, 96), np.uint8)
        labels[random.integers(20, 40) :] = 1
        row, column = random.integers(10, 40), random.integers(0, 60)
        labels[row : row + 20, column : column + 30] = 2
        image = np.array([[200, 120, 60], [90, 90, 90], [40, 40, 200]], np.uint8)[labels]
        noise = random.integers(0, 30, image.shape, np.uint8)
        labels[:, -1] = 77
        cv2.imwrite(str(folder / f"images/{index}.png"), image + noise)
        cv2.imwrite(str(folder / f"labels/{index}.png"), labels)
    (folder / "classes.yaml").write_text("names: [sky, road, box]\nsky: [sky]\nmoving: [box]\nground: [road]\n")
    return folder


def sources(folder):
    return ("--images", str(folder / "images"), "--labels", str(folder / "labels"))


def train(folder, output, *more):
    classes = ("--classes", str(folder / "classes.yaml"))
    return command.main(["train-semantic", *sources(folder), *classes, "--output", str(output), *SMALL, *more])


def test_two_steps_are_saved_and_measured(pictures, tmp_path, capsys):
    run = tmp_path / "run"
    assert train(pictures, run, "--steps", "2") == 0
    printed = capsys.readouterr().out
    assert "9 labelled pictures to learn from, 1 held out" in printed
    assert re.search(r"label value 77 \(1\.04% of the pixels\) is no class and is ignored", printed)
    assert "mIoU" in printed
    info, network = load_semantic(run / "best.safetensors")
    assert info.classes.names == ("sky", "road", "box")
    assert (info.height, info.width, info.training["steps"]) == (64, 96, 2)
    assert info.miou == pytest.approx(json.loads((run / "scores.json").read_text())["miou"], abs=1e-6)
    assert cv2.imread(str(run / "predictions.png")).shape == (64, 3 * 96, 3)
    assert [row["stage"] for row in read_metrics(run)] == ["train", "train", "val"]

    # Training goes on from there, and the result differs.
    assert train(pictures, run, "--steps", "4", "--resume") == 0
    again, resumed = load_semantic(run / "last.safetensors")
    assert again.training["steps"] == 4
    assert fingerprint(resumed) != fingerprint(network)

    # The other command agrees with the run on the same pictures.
    capsys.readouterr()
    score = ["evaluate-semantic", "--checkpoint", str(run / "last.safetensors"), *sources(pictures)]
    assert command.main([*score, "--json", str(tmp_path / "s.json"), "--picture", str(tmp_path / "p.png")]) == 0
    assert "10 pictures at 96x64" in capsys.readouterr().out
    assert set(json.loads((tmp_path / "s.json").read_text())["iou"]) == {"sky", "road", "box"}
    assert cv2.imread(str(tmp_path / "p.png")).shape == (6 * 64, 3 * 96, 3)


@pytest.mark.slow
def test_forty_steps_tell_sky_road_and_box_apart(pictures, tmp_path):
    learn = ("--steps", "40", "--save_every", "40", "--class_weights", "log", "--pixels", "1024", "--smallest", "1")
    assert train(pictures, tmp_path / "run", *learn) == 0
    info, _ = load_semantic(tmp_path / "run/best.safetensors")
    assert info.miou > 0.5, "chance is 0.2"


def test_a_run_may_start_from_another(pictures, tmp_path):
    assert train(pictures, tmp_path / "first", "--steps", "1") == 0
    start = str(tmp_path / "first/last.safetensors")
    assert train(pictures, tmp_path / "second", "--steps", "1", "--learning_rate", "0", "--initial", start) == 0
    first, second = (load_semantic(tmp_path / name / "last.safetensors")[1] for name in ("first", "second"))
    weights = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in weights)


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--classes", "kitti"], "unknown class map 'kitti'"),
        (["--label_ids", "kitti"], "unknown label id map 'kitti'"),
        (["--batch_size", "20"], "9 pictures do not fill a batch of 20"),
        (["--images", "two"], "2 folders of --images need as many of --labels, not 1"),
        (["--images", "nowhere", "--labels", "nowhere"], "there is no folder nowhere of pictures"),
        (["--data", "nowhere"], "there is no folder nowhere: name a drive"),
        (["--network.encoder", "nonesuch"], "unknown encoder 'nonesuch'"),
        (["--height", "100"], "100 is not a multiple of 32"),
        (["--resume"], "holds no last.ckpt to resume"),
        (["--network.encoder", "tu-lcnet_075", "--initial", "BEST"], "has encoder tu-lcnet_050, this run tu-lcnet_075"),
    ],
)
def test_mistakes_are_one_line(pictures, tmp_path, capsys, flags, line, small_semantic):
    flags = [str(small_semantic) if flag == "BEST" else flag for flag in flags]
    assert train(pictures, tmp_path / "run", "--steps", "1", *flags) == 1
    printed = capsys.readouterr().err
    assert printed.startswith("depth train-semantic: ")
    assert line in printed
    assert printed.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_damaged_picture_is_one_line_from_another_process_too(pictures, tmp_path, capsys):
    shutil.copytree(pictures, tmp_path / "p")
    cut = tmp_path / "p/images/3.png"
    cut.write_bytes(cut.read_bytes()[:60])  # its header is whole, so only the process that decodes it finds out
    assert train(tmp_path / "p", tmp_path / "run", "--steps", "9", "--workers", "1") == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("depth train-semantic: ")
    assert "3.png is no readable picture" in last


@pytest.fixture(scope="module")
def small_semantic(tmp_path_factory):
    """A semantic checkpoint of the small network with random weights."""
    from depth_node.checkpoints.semantic import SemanticInfo, save_semantic
    from depth_node.config.classes import CITYSCAPES
    from depth_node.config.semantic import SemanticConfig
    from depth_node.networks.semantic import SemanticNetwork

    config = SemanticConfig(encoder="tu-lcnet_050", pyramid_channels=32, segmentation_channels=32)
    path = tmp_path_factory.mktemp("semantic") / "small.safetensors"
    save_semantic(path, SemanticInfo(height=64, width=96), SemanticNetwork(config, CITYSCAPES))
    return path
