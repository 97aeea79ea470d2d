# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`make demo`, shortened: three processes over DDS, measured against the exact depth, drawn."""

from __future__ import annotations

import json
import shutil

import cv2
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from depth_node.cli.main import main


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "demo"
    assert main(["demo", "--frames", "6", "--output", str(folder)]) == 0
    return folder


def test_frames_come_back_as_depth_cloud_and_classes(shown):
    numbers = json.loads((shown / "numbers.json").read_text())
    # The latest frame wins on a busy machine: what comes back must fit, not be all.
    assert numbers["sent"] == 6
    assert numbers["received"] == numbers["clouds"] == numbers["compared"] == numbers["labelled"] >= 1
    assert numbers["misfits"] == 0
    assert 0.03 < numbers["scaled"]["abs_rel"] < 0.3
    assert 0.03 < numbers["metric"]["abs_rel"] < 0.3
    assert 0.6 < numbers["right_labels"] < 1
    assert numbers["highway"]["sent"] == 40
    assert numbers["highway"]["received"] >= 1


def test_the_page_shows_the_pictures(shown):
    page = (shown / "index.html").read_text()
    pictures = sorted(path.name for path in shown.glob("*.png"))
    assert len(pictures) == 5
    assert page.count("data:image/png") == 5
    for name in pictures:
        assert min(cv2.imread(str(shown / name)).shape[:2]) > 200


@pytest.mark.slow
def test_a_second_demo_takes_the_street_that_is_there(shown, capsys):
    before = (shown / "street/settings.json").stat().st_mtime_ns
    shutil.rmtree(shown / "received")
    assert main(["demo", "--frames", "6", "--no_highway", "--output", str(shown)]) == 0
    assert (shown / "street/settings.json").stat().st_mtime_ns == before
    assert "look at:" in capsys.readouterr().out


def test_what_belongs_to_the_user_is_not_removed(tmp_path, capsys):
    (tmp_path / "demo/street").mkdir(parents=True)
    (tmp_path / "demo/street/thesis.txt").write_text("mine")
    assert main(["demo", "--frames", "6", "--output", str(tmp_path / "demo")]) == 1
    assert (tmp_path / "demo/street/thesis.txt").read_text() == "mine"
    assert capsys.readouterr().err.count("\n") == 1
