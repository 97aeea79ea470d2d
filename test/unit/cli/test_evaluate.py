# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`depth evaluate` on a small drive, from the command line to its files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from depth_node.checkpoints.depth import read_info
from depth_node.cli.main import main
from depth_node.kitti.formats import write_depth


@pytest.fixture
def command(measured_drive, checkpoint_file, tmp_path):
    shutil.copy(checkpoint_file, tmp_path / "net.safetensors")
    return ["evaluate", "--checkpoint", str(tmp_path / "net.safetensors"), "--sequence", str(measured_drive.folder)]


def test_table_json_and_pictures(command, tmp_path, capsys):
    extra = ["--json", str(tmp_path / "out/all.json"), "--pictures", str(tmp_path / "shown"), "--picture_count", "2"]
    assert main([*command, *extra]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("abs_rel", "sq_rel", "rmse", "rmse_log", "a1", "a2", "a3"))
    assert "mean over 3 images" in text
    (record,) = json.loads((tmp_path / "out/all.json").read_text())["checkpoints"]
    assert record["ground_truth"] == "depth pictures"
    assert f"{record['metrics']['abs_rel']:.4f}" in text
    assert len(list((tmp_path / "shown").glob("*.png"))) == 2


def test_several_checkpoints_with_classes_and_papers(command, measured_drive, tmp_path, capsys):
    (tmp_path / "other").mkdir()
    shutil.copy(tmp_path / "net.safetensors", tmp_path / "other/net.safetensors")
    labels = np.full((60, 200), 13, np.uint8)
    labels[:, 100:] = 0
    measured_drive.label_path(1).parent.mkdir(parents=True)
    cv2.imwrite(str(measured_drive.label_path(1)), labels)
    files = ["--json", str(tmp_path / "all.json"), "--markdown", str(tmp_path / "all.md")]
    wanted = ["--per_class", "--per_range", "--table", "--pictures", str(tmp_path / "shown"), "--picture_count", "1"]
    both = ["--checkpoint", str(tmp_path / "other/net.safetensors")]  # beside the one that the command names
    assert main([*command, *both, *files, *wanted]) == 0
    text = capsys.readouterr().out
    for name in ("other/net", "class abs_rel", "car", "road", "10-20 m", "ours: other/net", "PackNet-SfM"):
        assert name in text
    assert "not to be compared with the papers" in text
    first, second = json.loads((tmp_path / "all.json").read_text())["checkpoints"]
    assert (first["name"], second["name"]) == (f"{tmp_path.name}/net", "other/net")
    assert first["metrics"] == second["metrics"]
    assert list(first["classes"]["each"]) == ["road", "car"]
    assert first["classes"]["images"] == 1
    markdown = (tmp_path / "all.md").read_text()
    assert f"| {first['classes']['each']['car']['by_dataset']['abs_rel']:.4f} |" in markdown
    assert len(list((tmp_path / "shown/other_net").glob("*.png"))) == 1


def test_stored_scale_makes_the_median_one(command, tmp_path, capsys):
    assert main([*command, "--store_scale"]) == 0
    info = read_info(tmp_path / "net.safetensors")
    assert info.scale_source == "ground_truth"
    assert info.scale != 1.0
    capsys.readouterr()
    assert main([*command, "--no_median_scaling"]) == 0
    text = capsys.readouterr().out
    assert "metres as predicted" in text
    assert "median 1.0000" in text


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (["--sequence", "nowhere"], "there is no folder nowhere"),
        (["--checkpoint", "none.safetensors"], "none.safetensors does not exist"),
        (["--ground_truth", "velodyne"], "has no ground truth (lidar scans)"),
        (["--ground_truth", "simulation"], "needs --ground_truth_dir"),
        (["--split", "none.txt"], "none.txt"),
        (["--cap", "1", "--min_depth", "2"], "must be below cap"),
        (["--ranges", "10,5"], "must be ascending depths in m"),
        (["--labels", "png"], "needs semantic/image_02"),
        (["--per_class"], "--per_class needs labels"),
        (["--ground_truth_dir", "nowhere"], "nowhere holds no ground truth"),
        (["--checkpoint", "a.safetensors", "a.safetensors"], "names a file twice"),
        (["--checkpoint", "ITSELF"], "names a file twice"),
        (["--json", "."], "cannot write .: it is a folder"),
        (["--markdown", "/proc/none/all.md"], "cannot write /proc/none/all.md: No such file"),
        (["--cap", "5"], "no frame has ground truth inside the crop and the depth range: try --crop none"),
    ],
)
def test_a_failure_is_one_line(command, extra, says, capsys, monkeypatch):
    itself = Path(command[2])
    monkeypatch.chdir(itself.parent)
    assert main([*command, *(itself.name if word == "ITSELF" else word for word in extra)]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error
    assert [line for line in error.splitlines() if line.startswith("depth ")] == [error.strip().splitlines()[-1]]


def test_what_cannot_be_compared_is_left_out_and_said(command, measured_drive, tmp_path, capsys):
    write_depth(measured_drive.depth_path(2), np.zeros((60, 200)))
    assert main([*command, "--json", str(tmp_path / "all.json")]) == 0
    text = capsys.readouterr().out
    assert "mean over 2 images" in text
    assert "left out: 1 images without truth" in text
    (record,) = json.loads((tmp_path / "all.json").read_text())["checkpoints"]
    assert (record["images"], record["left_out"]) == (2, 1)


def test_sizes_must_fit(command, measured_drive, capsys):
    write_depth(measured_drive.depth_path(2), np.full((60, 202), 7.0))
    assert main(command) == 1
    assert "2 l' is 200x60, its depth pictures 202x60: they are not of one drive" in capsys.readouterr().err
    cv2.imwrite(str(measured_drive.image_path(1)), np.zeros((30, 100, 3), np.uint8))
    assert main(command) == 1
    assert "0000000001.png is 100x30, its calibration is for 200x60" in capsys.readouterr().err


def test_an_uncapped_protocol_says_so(command, measured_drive, capsys):
    depth = np.full((60, 200), 20.0)
    depth[:, :50] = 200.0
    for frame in (1, 2, 3):
        write_depth(measured_drive.depth_path(frame), depth)
    assert main([*command, "--no_cap_ground_truth", "--crop", "none", "--per_range"]) == 0
    text = capsys.readouterr().out
    assert "truth from 0.001 m on, predictions of at most 80 m" in text
    assert "75.00%" in text  # of all pixels, though the rest is in no range


def test_a_drive_named_twice_counts_once(command, measured_drive, tmp_path, capsys):
    (tmp_path / "link").symlink_to(measured_drive.folder)
    assert main([*command, "--sequence", str(measured_drive.folder), str(tmp_path / "link")]) == 0
    assert "mean over 3 images" in capsys.readouterr().out
