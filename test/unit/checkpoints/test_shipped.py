# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Shipped checkpoints by name: each loads, has its card, and a file of the name goes first."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.checkpoints import shipped
from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.depth import load_checkpoint, read_info
from depth_node.checkpoints.shipped import FOLDER, SHIPPED
from depth_node.cli.main import main
from depth_node.errors import CheckpointError
from depth_node.inference.estimator import DepthEstimator


@pytest.mark.parametrize("name", SHIPPED)
def test_each_runs_by_its_name_and_is_metric(name, capsys):
    image = np.random.default_rng(0).integers(0, 255, (192, 640, 3), np.uint8)
    K = np.array([[371.0, 0, 320], [0, 371, 96], [0, 0, 1]])
    found = DepthEstimator.from_checkpoint(name, device="cpu").estimate(image, K)
    assert found.depth.isfinite().float().mean() > 0.5
    assert read_info(name).scale_source != "none"
    assert load_checkpoint(name).pose is None
    assert f"# {SHIPPED[name]}\n" in (FOLDER / "README.md").read_text()
    assert main(["inspect", name]) == 0
    assert SHIPPED[name] in capsys.readouterr().out


def test_all_shipped_files_together_are_small():
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 25e6


def test_a_file_of_the_name_goes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "real").write_bytes(b"")
    assert str(located("real")) == "real"


def test_a_missing_one_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(CheckpointError, match="no checkpoint is installed"):
        load_checkpoint("real")
