# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The verdict follows the numbers, and every complaint says what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from depth_node.recording.manifest import LossRecord
from depth_node.recording.report.findings import FAIR, GOOD, NOTE, POOR, judge, verdict
from depth_node.recording.report.numbers import read_numbers

LONG = [(2600, "")]


def found(recording, tmp_path):
    return judge(recording, read_numbers(recording, tmp_path))


def with_motion(drive):
    return replace(drive, side={"motion": {"never_measured": ["az", "lat", "lon"], "notes": []}})


def test_a_good_recording(manifest, drive, tmp_path):
    findings = found(manifest(with_motion(drive(1, LONG))), tmp_path)
    assert verdict(findings) == GOOD
    assert [finding.text for finding in findings] == [
        "2600 of 2600 pictures are kept; they make 2598 triplets",
        "between frames, things shift by 2 % of the picture's width, as it should be",
        "frames come every 100 ms, evenly",
        "speed is known: depth can be scaled to metres",
    ]


def test_a_camera_that_is_a_guess(manifest, drive, tmp_path):
    recording = replace(manifest(with_motion(drive(1, LONG))), settings={"learn_intrinsics": True})
    (finding,) = [finding for finding in found(recording, tmp_path) if "first guess" in finding.text]
    assert finding.level == NOTE
    assert "--network.learn_intrinsics" in finding.advice


@pytest.mark.parametrize(
    ("plan", "measures", "level", "words"),
    [
        ([(50, "")], {}, POOR, "too few to learn from"),
        ([(500, "")], {}, FAIR, "enough to adapt a trained network"),
        ([(2600, ""), (2700, "static")], {}, FAIR, "stands or creeps in 51% of the pictures"),
        ([(2600, ""), (900, "rotation")], {}, FAIR, "turns on the spot in 26%"),
        ([(2600, ""), (500, "blurred")], {}, FAIR, "16% of the pictures are blurred"),
        ([(2600, ""), (500, "dark")], {}, FAIR, "16% of the pictures are too dark"),
        ([(2600, ""), (500, "bright")], {}, FAIR, "too bright"),
        ([(2600, ""), (50, "stamp")], {}, FAIR, "2% of the pictures have a missing, repeated or backward stamp"),
        (LONG, {"parallax": 2.0}, FAIR, "0.31 % of the picture's width: little"),
        (LONG, {"parallax": 64.0}, FAIR, "10 % of the picture's width: too much"),
        (LONG, {"parallax": None}, GOOD, "parallax could not be measured"),
        (LONG, {"rotation": 8.0}, FAIR, "turn by more than 8.0 degrees"),
    ],
)
def test_what_is_wrong_is_said(manifest, drive, tmp_path, plan, measures, level, words):
    findings = found(manifest(with_motion(drive(1, plan, **measures))), tmp_path)
    assert verdict(findings) == level
    (finding,) = [finding for finding in findings if words in finding.text]
    assert finding.advice
    assert finding.level == (level if level != GOOD else NOTE)


def test_many_short_drives(manifest, drive, tmp_path):
    drives = [with_motion(drive(number, [(25, "")], first=100 * number)) for number in range(1, 100)]
    findings = found(manifest(*drives), tmp_path)
    assert any("falls into 99 short drives (3 s without a picture)" in finding.text for finding in findings)
    assert verdict(findings) == FAIR


def test_no_validation_damage_and_camera(manifest, drive, tmp_path):
    one = with_motion(drive(1, [*LONG, (2, "damaged")]))
    one = replace(one, camera=replace(one.camera, width=300, intrinsics=(40.0, *one.camera.intrinsics[1:])))
    recording = manifest(one, val=0)
    bag = replace(recording.bags[0], lost=LossRecord(None, 100, "bag.mcap cut off"))
    texts = [finding.text for finding in found(replace(recording, bags=(bag,)), tmp_path)]
    for words in (
        "there are no validation triplets",
        "pictures are only 300x192",
        "the camera sees 150 degrees across",
        "bag bag is damaged (bag.mcap cut off): an unknown number of messages could not be read",
        "2 pictures could not be decoded",
    ):
        assert any(words in text for text in texts), words


def test_notes_of_side_data_and_metres(manifest, drive, tmp_path):
    note = "scans without depth pictures: nothing says where 'lidar' sits"
    one = replace(drive(1, LONG), side={"lidar": {"notes": [note]}})
    findings = found(manifest(one), tmp_path)
    assert verdict(findings) == GOOD
    assert [finding.text for finding in findings if finding.level == NOTE] == [
        note,
        "there is neither lidar nor speed: depth will be right but for its scale",
    ]


def test_nothing_kept_at_all(manifest, drive, tmp_path):
    assert verdict(found(manifest(drive(1, [(40, "static")])), tmp_path)) == POOR


PLACE = [1.0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
LIDAR = {"scans": 2600, "frames": 2600, "median_points_in_picture": 9000, "nearest_s": 0.001, "notes": []}


@pytest.mark.parametrize(
    ("lidar", "level", "words"),
    [
        ({"T_camera_lidar": PLACE}, GOOD, "beside 2600 of 2600 frames, about 9000 points in a picture"),
        (
            {"T_camera_lidar": PLACE, "frames": 0, "median_points_in_picture": 0, "nearest_s": 36.98},
            POOR,
            "the nearest is 37.0 s away",
        ),
        (
            {"T_camera_lidar": PLACE, "frames": 0, "median_points_in_picture": 0, "nearest_s": 1.7e9},
            POOR,
            "the nearest is 53.9 years away",
        ),
        ({"T_camera_lidar": PLACE, "median_points_in_picture": 0}, POOR, "no lidar point falls into the picture"),
        ({"median_points_in_picture": 0}, FAIR, "nothing says where the lidar sits"),
    ],
)
def test_what_a_lidar_is_worth(manifest, drive, tmp_path, lidar, level, words):
    record = replace(drive(1, LONG), side={"lidar": LIDAR | lidar})
    findings = found(manifest(record), tmp_path)
    assert verdict(findings) == level
    assert [finding.level for finding in findings if words in finding.text] == [level]
    assert any("results can be measured" in finding.text for finding in findings) is (level == GOOD)


def test_a_camera_that_is_hard_to_believe(manifest, drive, tmp_path):
    record = with_motion(drive(1, LONG))
    camera = replace(record.camera, intrinsics=(*record.camera.intrinsics[:2], 5000.0, *record.camera.intrinsics[3:]))
    findings = found(manifest(replace(record, camera=camera)), tmp_path)
    assert verdict(findings) == FAIR
    assert "hard to believe: its principal point (5000," in findings[0].text
