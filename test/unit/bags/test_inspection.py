# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is in a bag is said: rates, gaps, cameras, damage and what to do next."""

from __future__ import annotations

import json
import sqlite3

import cv2
import numpy as np
import pytest
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from depth_node.bags.contact_sheet import WIDTH, contact_sheet
from depth_node.bags.inspection import SAMPLES, inspect
from depth_node.bags.message_types import POINT_CLOUD, TF_MESSAGE, VIDEO
from depth_node.cli.main import main

STAMP = 1_317_038_400_123_456_789
STEP = 100_000_000
PIXELS = np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8)


def by_name(bag):
    return {topic.name: topic for topic in bag.topics}


def test_rates_gaps_cameras_and_the_next_step(tmp_path, bag_maker):
    with bag_maker(tmp_path / "bag") as bag:
        for index in [*range(20), *range(50, 60)]:
            bag.image(STAMP + index * STEP, PIXELS, "bgr8")
        bag.info(STAMP, 32, 24, focal=16.0, distortion=(0.1, 0, 0, 0), topic="/camera/camera_info")
    seen: list[tuple[int, int]] = []
    inspected = inspect(tmp_path / "bag", lambda done, total: seen.append((done, total)))
    image, info = by_name(inspected)["/camera/image_raw"], by_name(inspected)["/camera/camera_info"]
    assert image.rate == pytest.approx(10)
    assert image.gaps == [(STAMP + 19 * STEP, pytest.approx(3.1))]
    assert image.detail == "32x24 bgr8"
    assert len(image.samples) == SAMPLES
    np.testing.assert_array_equal(image.samples[3][1], PIXELS[..., ::-1])
    assert info.detail == "32x24, f 16.0 16.0 px (90 degrees), c 16 12, plumb_bob [0.1, 0.0, 0.0, 0.0]"
    assert info.rate == 0
    assert info.gaps == []
    assert inspected.seconds == pytest.approx(5.9)
    assert inspected.damage == ""
    assert inspected.advice == f"depth record {tmp_path}/bag --image_topic /camera/image_raw --output recorded"
    assert all(total == 31 for _, total in seen)


def test_problems_are_named(tmp_path, bag_maker):
    jpeg = cv2.imencode(".jpg", PIXELS)[1].tobytes()
    with bag_maker(tmp_path / "bag") as bag:
        for index, stamp in enumerate((0, 2, 1, 3)):
            bag.image(STAMP + stamp * STEP, PIXELS, time_ns=STAMP + index * STEP)
        bag.image(STAMP + 9 * STEP, PIXELS[:12])
        bag.info(STAMP, 320, 240, topic="/camera/camera_info")
        for index in range(3):
            bag.compressed(STAMP + index * STEP, jpeg[: -20 if index else None], topic="/right/image_raw/compressed")
        bag.info(STAMP, 32, 24, focal=0.0, topic="/right/camera_info")
    topics = by_name(inspect(tmp_path / "bag"))
    assert topics["/camera/image_raw"].problems == [
        "/camera/camera_info describes 320x240",
        "changes in mid-bag: 32x24 rgb8; then 32x12 rgb8",
        "1 stamps repeat or go back",
    ]
    (broken,) = topics["/right/image_raw/compressed"].problems
    assert broken.startswith("2 x compressed image is a JPEG that was cut off")
    assert topics["/right/image_raw/compressed"].detail == "32x24 jpeg"
    assert "the camera is uncalibrated" in topics["/right/camera_info"].problems[0]


def test_two_cameras_are_a_question(tmp_path, bag_maker):
    with bag_maker(tmp_path / "bag") as bag:
        bag.image(STAMP, PIXELS, topic="/left/image_raw")
        bag.image(STAMP, PIXELS, topic="/right/image_raw")
        bag.info(STAMP, 32, 24, topic="/left/camera_info")
    advice = inspect(tmp_path / "bag").advice
    assert "Choose one with --image_topic: /left/image_raw (" in advice


def advised(bag_maker, tmp_path, name, **changes):
    """What is advised for a bag of six pictures whose last three differ as `changes` say."""
    with bag_maker(tmp_path / name) as bag:
        for index in range(6):
            late = changes if index >= 3 else {}
            bag.image(STAMP + index * STEP, PIXELS, late.get("encoding", "rgb8"))
            bag.info(STAMP + index * STEP, *changes.get("size", (32, 24)), focal=late.get("focal", 20.0))
    return inspect(tmp_path / name).advice


def test_what_is_advised_works(tmp_path, bag_maker):
    """The recorder stops at what the inspection has found, unless it is told how to go on."""
    assert "--on_change" not in advised(bag_maker, tmp_path, "steady")
    assert "--on_change" not in advised(bag_maker, tmp_path, "focus", focal=20.001)
    assert "--on_change split --output" in advised(bag_maker, tmp_path, "zoom", focal=30.0)
    assert "--on_change split --output" in advised(bag_maker, tmp_path, "kind", encoding="bgr8")
    advice = advised(bag_maker, tmp_path, "size", size=(64, 48))
    assert advice.startswith("/camera/camera_info describes 64x48, but /camera/image_raw is 32x24 rgb8: give --calib")


@pytest.mark.parametrize("placed", [True, False])
def test_a_lidar_needs_a_place(tmp_path, bag_maker, placed):
    types = get_typestore(Stores.ROS2_HUMBLE).types
    fields = [types["sensor_msgs/msg/PointField"](name, 4 * i, 7, 1) for i, name in enumerate("xyz")]
    cloud = {"height": 1, "width": 1, "fields": fields, "is_bigendian": False, "point_step": 12, "row_step": 12}
    with bag_maker(tmp_path / "bag") as bag:
        data = np.zeros(12, np.uint8)
        bag.add("/lidar", POINT_CLOUD, STAMP, header=bag.header(STAMP), **cloud, data=data, is_dense=True)
        if placed:
            bag.add("/tf_static", TF_MESSAGE, STAMP, transforms=[])
    problems = by_name(inspect(tmp_path / "bag"))["/lidar"].problems
    assert bool(problems) is not placed
    assert all("without /tf_static nobody knows where it sits" in problem for problem in problems)


def test_a_camera_that_is_a_video_is_said_to_be_one(tmp_path):
    """A type of message of another package, with its definition in the bag."""
    types = get_typestore(Stores.ROS2_HUMBLE)
    types.register(get_types_from_msg("uint8[] data", VIDEO[0]))
    packet = types.types[VIDEO[0]](data=np.zeros(9, np.uint8))
    with Writer(tmp_path / "bag", version=9) as writer:
        topic = writer.add_connection("/camera/ffmpeg", VIDEO[0], typestore=types)
        writer.write(topic, STAMP, types.serialize_cdr(packet, VIDEO[0]))
    assert "has its camera as a video only (/camera/ffmpeg" in inspect(tmp_path / "bag").advice


def test_a_cut_bag_is_inspected_all_the_same(make_bag):
    bag = make_bag(frames=40, storage="mcap")
    (bag / "metadata.yaml").unlink()
    file = bag / "bag.mcap"
    file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    inspected = inspect(bag)
    image = by_name(inspected)["/camera/image_raw"]
    assert 10 < image.count < 40
    assert len(image.times_ns) == image.count
    assert inspected.damage
    assert image.samples


def test_a_type_that_nobody_knows_does_not_hide_the_camera(make_bag):
    bag = make_bag(storage="sqlite3")
    (file,) = bag.glob("*.db3")
    with sqlite3.connect(file) as database:
        topic = database.execute("SELECT MAX(id) + 1 FROM topics").fetchone()[0]
        columns = [row[1] for row in database.execute("PRAGMA table_info(topics)")]
        row = dict(zip(columns, database.execute("SELECT * FROM topics").fetchone(), strict=True))
        row |= {"id": topic, "name": "/odd", "type": "odd_msgs/msg/Odd", "type_description_hash": ""}
        database.execute(f"INSERT INTO topics VALUES ({','.join('?' * len(columns))})", [row[c] for c in columns])
        database.execute("INSERT INTO messages(topic_id, timestamp, data) VALUES (?, ?, ?)", (topic, STAMP, b"\0" * 8))
    database.close()
    topics = by_name(inspect(file))
    assert topics["/camera/image_raw"].rate == pytest.approx(10)
    assert topics["/odd"].count == 1
    assert len(topics["/odd"].times_ns) == 0


def test_contact_sheet_shows_pictures_and_gaps(tmp_path, bag_maker):
    blue = np.zeros((24, 32, 3), np.uint8)
    blue[..., 2] = 255
    with bag_maker(tmp_path / "bag") as bag:
        for index in [*range(20), *range(50, 60)]:
            bag.image(STAMP + index * STEP, blue)
    sheet = contact_sheet(inspect(tmp_path / "bag"))
    assert sheet.shape[1] == WIDTH
    assert (sheet == (0, 0, 255)).all(axis=2).mean() > 0.3
    red = (sheet == (200, 60, 50)).all(axis=2)
    share = red.any(axis=0).sum() / (WIDTH - 170 - 420)
    assert share == pytest.approx(3.1 / 5.9, abs=0.02)


def test_command_line(make_bag, tmp_path, capsys):
    make_bag("one")
    make_bag("two", storage="sqlite3", focal=0.0)
    flags = ["--json", str(tmp_path / "out.json"), "--picture", str(tmp_path / "sheets")]
    assert main(["inspect", str(tmp_path), *flags]) == 0
    text = capsys.readouterr().out
    assert f"next: depth record {tmp_path}/one --image_topic /camera/image_raw --output recorded" in text
    assert "next: camera_info has K[0] = 0, the camera is uncalibrated" in text
    bags = json.loads((tmp_path / "out.json").read_text())["bags"]
    assert [bag["bag"] for bag in bags] == ["one", "two"]
    assert bags[0]["topics"][1]["messages"] == 6
    assert cv2.imread(str(tmp_path / "sheets/two.png")).shape[1] == WIDTH
    assert main(["inspect", str(tmp_path / "nothing")]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_pictures_of_several_bags_go_to_a_folder(tmp_path, bag_maker, capsys):
    for name in ("one", "two"):
        with bag_maker(tmp_path / name) as bag:
            for index in range(3):
                bag.image(STAMP + index * STEP, PIXELS)
    bags = [str(tmp_path / "one"), str(tmp_path / "two")]
    assert main(["inspect", *bags, "--picture", str(tmp_path / "sheet.png")]) == 1
    assert "2 bags need a folder: give --picture a name without '.png'" in capsys.readouterr().err
    assert not (tmp_path / "sheet.png").exists()
    assert main(["inspect", *bags, "--picture", str(tmp_path / "sheets")]) == 0
    assert sorted(path.name for path in (tmp_path / "sheets").iterdir()) == ["one.png", "two.png"]
