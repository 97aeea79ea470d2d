# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Flicker and consistency of recorded drives, with poses and without; exact depth, made to flicker."""

import json
import math

import numpy as np
import pytest

from depth_node.cli.main import main
from depth_node.errors import EvaluationError
from depth_node.evaluation.steadiness import Steadiness, measure_steadiness, read_poses, steadiness_table

STEP = 0.4


@pytest.fixture(scope="module")
def flickering(world):
    """Frames of exact depth times a factor, the factors, and the poses."""
    factors = np.exp(np.random.default_rng(5).normal(0, 0.03, 25))
    frames = [
        world.frame(STEP * number, stamp_ns=number * 100_000_000).times(float(factor))
        for number, factor in enumerate(factors)
    ]
    poses = [np.eye(4) for _ in frames]
    for number, pose in enumerate(poses):
        pose[2, 3] = STEP * number
    return frames, factors, poses


@pytest.mark.parametrize("with_poses", [True, False])
def test_flicker_is_what_was_put_in_and_smoothing_takes_it_out(flickering, with_poses):
    frames, factors, poses = flickering
    before, after = measure_steadiness(frames, poses if with_poses else None)
    expected = np.diff(np.log(factors)).std()
    assert before.flicker == pytest.approx(expected, rel=0.1)
    assert after.flicker < expected / 2
    assert after.error < before.error
    assert before.pairs == len(frames) - 1


def test_metres_come_from_poses(flickering):
    frames, _, poses = flickering
    small = measure_steadiness([frame.times(0.1) for frame in frames], poses)[0]
    large = measure_steadiness(frames, poses)[0]
    assert small.opw == pytest.approx(large.opw, rel=0.05)


def test_missing_frames_are_passed_over(flickering):
    frames, _, poses = flickering
    before, _ = measure_steadiness([None if number == 7 else frame for number, frame in enumerate(frames)], poses)
    assert before.pairs == len(frames) - 3


def test_poses_of_another_drive_are_refused(flickering):
    frames, _, poses = flickering
    with pytest.raises(EvaluationError, match="24 poses for 25 frames"):
        measure_steadiness(frames, poses[:-1])
    still = [np.eye(4) for _ in frames]
    with pytest.raises(EvaluationError, match="hardly moves"):
        measure_steadiness(frames, still)


def test_nothing_to_compare_is_said():
    with pytest.raises(EvaluationError, match="no two pictures"):
        Steadiness.of([])


@pytest.mark.parametrize(("text", "says"), [("1 2 3\n", "3 numbers a line"), ("a b\n", "cannot read poses")])
def test_other_files_are_no_poses(tmp_path, text, says):
    path = tmp_path / "poses.txt"
    path.write_text(text)
    with pytest.raises(EvaluationError, match=says):
        read_poses(path)


def test_a_table_has_a_row_with_smoothing_and_one_without():
    row = Steadiness(3, 0.01, 0.02, 0.03, 0.4)
    table = steadiness_table([("net", row, row)], with_poses=True)
    assert [cells[0] for cells in table.rows] == ["net", "net, smoothed"]
    assert table.rows[0][1:] == ("3", "1.00", "2.00", "3.00", "0.40")


def test_the_command_needs_no_measured_depth(tmp_path, checkpoint_file, measured_drive, capsys):
    out = tmp_path / "out.json"
    command = [
        "evaluate",
        "--steadiness",
        "--checkpoint",
        str(checkpoint_file),
        "--sequence",
        str(measured_drive.folder),
    ]
    status = main([*command, "--json", str(out)])
    printed = capsys.readouterr()
    if status == 0:  # random weights on random pictures may show nothing static
        assert not math.isnan(json.loads(out.read_text())["steadiness"][0]["smoothed"]["flicker"])
    else:
        assert "no two pictures in a row could be compared" in printed.err
    assert main([*command[:1], *command[2:], "--poses", str(out)]) == 1
    assert "--poses goes with --steadiness" in capsys.readouterr().err
