"""`depth evaluate` on a small drive, from the command line to its files."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest

from depth_node.cli.main import main
from depth_node.networks.checkpoint import read_info


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
    both = ["--checkpoint", str(tmp_path / "net.safetensors"), str(tmp_path / "other/net.safetensors")]
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
    ],
)
def test_a_failure_is_one_line(command, extra, says, capsys):
    assert main([*command, *extra]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error
    assert error.strip().count("\n") == 0
