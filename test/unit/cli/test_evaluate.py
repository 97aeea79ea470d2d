"""`depth evaluate` on a small drive, from the command line to its files."""

from __future__ import annotations

import json
import shutil

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
    record = json.loads((tmp_path / "out/all.json").read_text())
    assert record["ground_truth"] == "depth pictures"
    assert f"{record['metrics']['abs_rel']:.4f}" in text
    assert len(list((tmp_path / "shown").glob("*.png"))) == 2


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
    ],
)
def test_a_failure_is_one_line(command, extra, says, capsys):
    assert main([*command, *extra]) == 1
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error
    assert error.strip().count("\n") == 0
