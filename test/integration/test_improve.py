# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A night from bag to verdict, and nights that must not teach anything."""

from __future__ import annotations

import json
import re
import shutil

import cv2
import pytest

from depth_node.checkpoints.depth import read_info
from depth_node.cli.main import main

REFUSED = 3
STREET = ["--width", "192", "--height", "64", "--lidar_columns", "256", "--workers", "2", "--no_lead_car"]
QUICK = [
    *("--batch_size", "2", "--steps", "4", "--workers", "0", "--device", "cpu", "--pairs", "6"),
    *("--least_triplets", "20", "--record.val_fraction", "0.25", "--record.format", "jpg"),
]


def simulate(folder, seed, *more):
    assert main(["simulate", "--output", str(folder), "--seed", str(seed), "--frames", "40", *STREET, *more]) == 0
    return folder / "bag"


@pytest.fixture(scope="module")
def monday(tmp_path_factory, small_checkpoint):
    """A first night; the folder, the command and what it returned."""
    folder = tmp_path_factory.mktemp("nights")
    bag = simulate(folder / "street", 31)
    command = ["improve", str(bag), "--from", str(small_checkpoint), "--output", str(folder / "monday"), *QUICK]
    return folder / "monday", command, main(command)


def test_a_night_ends_with_a_verdict_a_page_and_perhaps_a_checkpoint(monday):
    folder, _, status = monday
    state = json.loads((folder / "improve.json").read_text())
    verdict = state["verdict"]
    kinds = {(each["where"], each["what"]) for each in verdict["measured"]}
    assert kinds == {("new", "photometric"), ("new", "consistency"), ("new", "abs_rel")}
    assert all(0 < each["old"] < 2 and each["count"] >= 3 for each in verdict["measured"])
    assert status == (0 if verdict["promoted"] else REFUSED)
    assert (folder / "promoted.safetensors").exists() == verdict["promoted"]
    page = (folder / "improve.html").read_text()
    assert verdict["sentence"][:20] in page
    assert page.count("data:image/png") == 3


def test_the_new_network_keeps_the_old_ones_metres(monday, small_checkpoint):
    folder, _, _ = monday
    trained = json.loads((folder / "improve.json").read_text())["trained"]
    old, new = read_info(small_checkpoint), read_info(folder / trained)
    assert new.scale_source == old.scale_source
    assert new.scale == pytest.approx(old.scale, rel=0.5)  # four steps change little


def test_the_same_command_again_does_nothing_again(monday, small_checkpoint, capsys):
    folder, command, status = monday
    before = {path: path.stat().st_mtime_ns for path in (folder / "run").iterdir()}
    assert main(command) == status
    assert {path: path.stat().st_mtime_ns for path in (folder / "run").iterdir()} == before
    capsys.readouterr()
    other = shutil.copyfile(small_checkpoint, folder.parent / "other.safetensors")
    assert main([word if word != str(small_checkpoint) else str(other) for word in command]) == 1
    assert "is a night from another checkpoint" in capsys.readouterr().err


def test_older_frames_are_mixed_in_and_judged_on(monday, small_checkpoint, tmp_path):
    older = monday[0] / "recorded"
    bag = simulate(tmp_path / "street", 32)
    command = ["improve", str(bag), "--from", str(small_checkpoint), "--older", str(older)]
    command += ["--output", str(tmp_path / "night"), "--deploy", str(tmp_path / "robot.safetensors"), *QUICK]
    status = main(command)
    state = json.loads((tmp_path / "night/improve.json").read_text())
    assert {each["where"] for each in state["verdict"]["measured"]} == {"new", "older"}
    assert (tmp_path / "robot.safetensors").exists() == (status == 0)
    frames = read_info(tmp_path / "night" / state["trained"]).training["frames"]
    alone = read_info(monday[0] / json.loads((monday[0] / "improve.json").read_text())["trained"]).training["frames"]
    assert frames == pytest.approx(2 * alone, rel=0.2)  # half of them are older


def blur(folder):
    for path in folder.rglob("*.jpg"):
        cv2.imwrite(str(path), cv2.GaussianBlur(cv2.imread(str(path)), (0, 0), 3))


@pytest.mark.parametrize(
    ("poison", "street", "words"),
    [
        pytest.param(
            "static", ["--speed", "0", "--speed_variation", "0"], "triplets .*left out", marks=pytest.mark.slow
        ),
        ("camera", ["--focal", "0.9"], "focal length is 0.900 of the picture's width, in the older recordings 0.580"),
        pytest.param("blurred", [], "as sharp as those of the older recordings", marks=pytest.mark.slow),
    ],
)
def test_a_poisoned_night_is_refused_before_it_is_learnt_from(
    poison, street, words, monday, small_checkpoint, tmp_path, capsys
):
    older, bag = monday[0] / "recorded", simulate(tmp_path / "street", 33, *street)
    command = ["improve", str(bag), "--from", str(small_checkpoint), "--older", str(older), "--record.select", "all"]
    command = command[:-2] if poison == "static" else command
    night = tmp_path / "night"
    if poison == "blurred":
        assert main(["record", str(bag), "--output", str(night / "recorded"), "--select", "all",
                     "--val_fraction", "0.25", "--format", "jpg"]) == 0  # fmt: skip
        blur(night / "recorded")
    capsys.readouterr()
    status = main([*command, "--output", str(night), *QUICK])
    said = capsys.readouterr()
    if status == 1:  # the recorder found nothing to keep at all
        assert poison == "static"
        assert said.err.count("\n") == 1
        return
    assert status == REFUSED
    assert re.search(words, said.out), said.out
    assert not (night / "run").exists()
    assert not (night / "promoted.safetensors").exists()
