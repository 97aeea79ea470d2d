# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A camera that changes in mid-bag stops the recording with the time of change, or starts a new drive."""

from __future__ import annotations

import re

import numpy as np
import pykitti
import pytest

from depth_node.config.record import RecordConfig
from depth_node.errors import BagError, CalibrationError, DepthNodeError
from depth_node.kitti.layout import KittiSequence
from depth_node.recording.recorder import record

STAMP, STEP = 1_317_038_400_123_456_789, 100_000_000
FRAMES, CHANGE = 24, 13
WHEN = re.escape("2011-09-26 12:00:01.423456789")
SPLIT = RecordConfig(on_change="split")


@pytest.fixture
def changing_bag(tmp_path, bag_maker, approach):
    """A function that writes a drive which goes on with another size, focal length or encoding from frame 13 on."""

    def make(size=(320, 240), focal=250.0, encoding="rgb8", info_late=0, name="bag", latched=False):
        with bag_maker(tmp_path / name) as bag:
            pictures = [approach(FRAMES), approach(FRAMES, *size)]
            for index in range(FRAMES):
                stamp, changed = STAMP + index * STEP, index >= CHANGE
                bag.image(stamp, pictures[changed][index], encoding if changed else "rgb8")
                known = index >= CHANGE + info_late
                if not latched or index in (0, CHANGE):
                    bag.info(stamp, *(size if known else (320, 240)), focal=focal if known else 250.0)
        return tmp_path / name

    return make


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"focal": 300.0}, CalibrationError, "the calibration on /camera/camera_info changes at {}"),
        ({"size": (256, 192)}, DepthNodeError, "(calibration|images).* changes? .*at {}"),
        ({"encoding": "bgr8"}, BagError, "images change from 320x240 rgb8 to 320x240 bgr8 at {}"),
    ],
)
def test_the_default_stops_and_says_when(changing_bag, tmp_path, change, error, message):
    with pytest.raises(error, match=message.format(WHEN) + ".*--on_change split"):
        record([changing_bag(**change)], tmp_path / "out", RecordConfig())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("change", [{"focal": 300.0}, {"size": (256, 192), "focal": 200.0}])
@pytest.mark.parametrize("latched", [False, True])
def test_another_calibration_starts_a_drive_in_a_day_of_its_own(changing_bag, tmp_path, change, latched):
    manifest = record([changing_bag(**change, latched=latched)], tmp_path / "out", SPLIT)
    first, second = manifest.drives
    assert [frame.source for frame in first.frames] == list(range(CHANGE))
    assert [frame.source for frame in second.frames] == list(range(CHANGE, FRAMES))
    assert [drive.folder for drive in manifest.drives] == [
        "2011_09_26/2011_09_26_drive_0001_sync",
        "2011_09_26_2/2011_09_26_2_drive_0001_sync",
    ]
    size = "images change from 320x240 rgb8 to 256x192 rgb8"
    assert second.begins == (size if "size" in change else "the calibration changed")
    for drive, size, focal in ((first, (320, 240), 250.0), (second, change.get("size", (320, 240)), change["focal"])):
        sequence = KittiSequence(tmp_path / "out" / drive.folder)
        assert sequence.image(0).shape == (size[1], size[0], 3)
        date, number = drive.folder.split("/")[0], re.search(r"drive_(\d+)", drive.folder)[1]
        K = pykitti.raw(str(tmp_path / "out"), date, number).calib.K_cam2
        np.testing.assert_allclose(K, [[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    train = (tmp_path / "out/splits/train_files.txt").read_text().split("\n")
    assert {line.split()[0].split("/")[0] for line in train if line} == {"2011_09_26", "2011_09_26_2"}


def test_another_encoding_starts_a_drive_of_the_same_day(changing_bag, tmp_path):
    manifest = record([changing_bag(encoding="bgr8")], tmp_path / "out", SPLIT)
    assert [len(drive.frames) for drive in manifest.drives] == [CHANGE, FRAMES - CHANGE]
    assert {drive.folder.split("/")[0] for drive in manifest.drives} == {"2011_09_26"}
    assert manifest.drives[1].begins == "images change from 320x240 rgb8 to 320x240 bgr8"


def test_a_size_without_its_calibration_is_refused(changing_bag, tmp_path):
    bag = changing_bag(size=(256, 192), focal=200.0, info_late=20)
    with pytest.raises(CalibrationError, match="image is 256x192, but camera_info describes 320x240"):
        record([bag], tmp_path / "out", SPLIT)


def test_workers_and_order_change_nothing(changing_bag, tmp_path):
    bag = changing_bag(size=(256, 192), focal=200.0)
    one, four = (record([bag], tmp_path / str(n), RecordConfig(on_change="split", workers=n)) for n in (1, 4))
    assert one == four


def test_a_change_and_back_shares_the_first_days_calibration(tmp_path, bag_maker, approach):
    with bag_maker(tmp_path / "bag") as bag:
        for index, picture in enumerate(approach(FRAMES)):
            bag.image(STAMP + index * STEP, picture)
            bag.info(STAMP + index * STEP, 320, 240, focal=300.0 if 8 <= index < 16 else 250.0)
    manifest = record([tmp_path / "bag"], tmp_path / "out", SPLIT)
    assert [(drive.folder.split("/")[0], len(drive.frames)) for drive in manifest.drives] == [
        ("2011_09_26", 8), ("2011_09_26_2", 8), ("2011_09_26", 8),
    ]  # fmt: skip


@pytest.mark.parametrize("on_change", ["error", "split"])
def test_a_lens_that_focuses_is_one_camera(tmp_path, bag_maker, approach, on_change):
    """The focal length wanders by 0.007 % a message, to and fro."""
    with bag_maker(tmp_path / "bag") as bag:
        for index, picture in enumerate(approach(FRAMES)):
            bag.image(STAMP + index * STEP, picture)
            bag.info(STAMP + index * STEP, 320, 240, focal=250.0 * (1 + 7e-5 * (index % 8)))
    manifest = record([tmp_path / "bag"], tmp_path / "out", RecordConfig(on_change=on_change))
    (drive,) = manifest.drives
    assert len(drive.frames) + len(drive.dropped) == FRAMES
    assert drive.camera.intrinsics[0] == 250.0


def test_a_lens_that_zooms_slowly_is_not(tmp_path, bag_maker, approach):
    """Each step is small, but together they are 5 %: what counts is the way from where the drive began."""
    with bag_maker(tmp_path / "bag") as bag:
        for index, picture in enumerate(approach(FRAMES)):
            bag.image(STAMP + index * STEP, picture)
            bag.info(STAMP + index * STEP, 320, 240, focal=250.0 * (1 + 0.05 * index / FRAMES))
    with pytest.raises(CalibrationError, match=r"changes at .*--calibration FILE takes one for all"):
        record([tmp_path / "bag"], tmp_path / "out", RecordConfig())


@pytest.mark.parametrize("on_change", ["error", "split"])
def test_a_driver_that_loads_its_calibration_late(tmp_path, bag_maker, approach, on_change):
    def write(name, late):
        with bag_maker(tmp_path / name) as bag:
            for index, picture in enumerate(approach(FRAMES)):
                bag.image(STAMP + index * STEP, picture)
                bag.info(STAMP + index * STEP, 320, 240, focal=0.0 if index < late else 250.0)
        return tmp_path / name

    config = RecordConfig(on_change=on_change)
    (drive,) = record([write("late", 5)], tmp_path / "out", config).drives
    assert len(drive.frames) + len(drive.dropped) == FRAMES
    assert drive.camera.intrinsics[0] == 250.0
    with pytest.raises(CalibrationError, match=r"the camera is uncalibrated.*, or give --calibration FILE"):
        record([write("never", FRAMES)], tmp_path / "never_out", config)


def test_bags_of_one_day_may_differ_by_a_breath(tmp_path, bag_maker, approach):
    for number, focal in enumerate((250.0, 250.02)):
        with bag_maker(tmp_path / "bags" / str(number)) as bag:
            for index, picture in enumerate(approach(FRAMES)):
                stamp = STAMP + (number * 100 + index) * STEP
                bag.image(stamp, picture)
                bag.info(stamp, 320, 240, focal=focal)
    manifest = record([tmp_path / "bags"], tmp_path / "out", RecordConfig())
    assert {drive.folder.partition("/")[0] for drive in manifest.drives} == {"2011_09_26"}
