# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings made up number by number, so that what a report should say is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from depth_node.kitti.formats import OxtsPacket, write_depth, write_oxts
from depth_node.kitti.layout import MANIFEST, KittiSequence
from depth_node.kitti.mercator import Mercator
from depth_node.recording.manifest import (
    BagFile,
    BagRecord,
    CameraRecord,
    DriveRecord,
    DroppedFrame,
    KeptFrame,
    Manifest,
)

START_NS = 1_317_038_400_000_000_000
STEP = 100_000_000
CAMERA = CameraRecord("camera", 640, 192, (371.0, 0, 320, 0, 371.0, 90, 0, 0, 1), False, "plumb_bob", (1.0,) * 9, ())


def make_drive(number: int, plan: Sequence[tuple[int, str]], first: int = 0, **measures) -> DriveRecord:
    """A drive of stretches of (count, category); '' is kept."""
    kept: list[KeptFrame] = []
    dropped: list[DroppedFrame] = []
    numbers = {"parallax": 12.8, "rotation": 0.5, "sharpness": 1.0, "brightness": 120.0, "clipped": 0.01} | measures
    source = first
    for count, category in plan:
        for _ in range(count):
            stamp = START_NS + source * STEP
            if category:
                dropped.append(DroppedFrame(source, stamp, f"because {category}", category, **numbers))
            else:
                kept.append(KeptFrame(len(kept), source, stamp, "0" * 64, **numbers))
            source += 1
    folder = f"2011_09_26/2011_09_26_drive_{number:04d}_sync"
    begins = "" if number == 1 else "3 s without a picture"
    return DriveRecord(folder, "bag", "/image", "/info", CAMERA, tuple(kept), tuple(dropped), 0, begins)


def make_manifest(*drives: DriveRecord, **changes) -> Manifest:
    """A recording of one bag."""
    bag = BagRecord("bag", (BagFile("bag.mcap", 1),), 1, START_NS, START_NS + STEP, None, 0, 1)
    train = sum(max(len(drive.frames) - 2, 0) for drive in drives)
    return replace(Manifest(2, "0", {}, (bag,), drives, max(train - 10, 0), min(train, 10), "", 1), **changes)


@pytest.fixture
def manifest():
    """The function above."""
    return make_manifest


@pytest.fixture
def drive():
    """The function above it."""
    return make_drive


@pytest.fixture
def stored_recording(tmp_path):
    """A recording on disk: two drives, the second on a circle, with lidar depth, and some frames of every reason."""
    plan = [(150, ""), (60, "static"), (40, "little parallax"), (20, "blurred"), (15, "rotation"), (5, "dark")]
    one = make_drive(1, [*plan, (5, "bright"), (4, "duplicate"), (3, "stamp"), (2, "damaged")])
    two = make_drive(2, [(120, ""), (2, "short"), (5, "rate")], first=400, parallax=20.0)
    side = {
        "motion": {"never_measured": ["az"], "notes": []},
        "lidar": {
            "T_camera_lidar": [0.0] * 16,
            "scans": 9,
            "frames": 9,
            "median_points_in_picture": 7,
            "notes": ["7 scans were lost <&> found"],
        },
    }
    two = replace(two, side=side)
    rng = np.random.default_rng(0)
    for record in (one, two):
        sequence = KittiSequence(tmp_path / record.folder)
        data = sequence.folder / "image_02/data"
        data.mkdir(parents=True)
        for frame in record.frames:
            picture = cv2.resize(rng.integers(0, 256, (6, 20, 3), np.uint8), (160, 48))
            cv2.imwrite(str(data / f"{frame.index:010d}.jpg"), picture)
    for frame in two.frames:
        angle = frame.index / 20
        latitude, longitude = Mercator(0.0).degrees(30 * np.cos(angle), 30 * np.sin(angle))
        write_oxts(sequence.oxts_path(frame.index), OxtsPacket(latitude, longitude, vf=15 * (0.5 + angle / 12)))
        write_depth(sequence.depth_path(frame.index), np.where(rng.random((48, 160)) < 0.1, 10.0, np.nan))
    (tmp_path / MANIFEST).write_text(make_manifest(one, two).to_json())
    return tmp_path
