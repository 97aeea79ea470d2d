# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Manifests come back as they were written, those of the first version included."""

from __future__ import annotations

import json

import pytest

from depth_node.errors import SequenceError
from depth_node.recording.manifest import (
    VERSION,
    BagFile,
    BagRecord,
    CameraRecord,
    DriveRecord,
    DroppedFrame,
    KeptFrame,
    LossRecord,
    Manifest,
    read_manifest,
)

CAMERA = CameraRecord("camera", 4, 3, (1.0,) * 9, False, "plumb_bob", (1.0,) * 9, ())
MANIFEST = Manifest(
    VERSION,
    "0.1.0",
    {"format": "png", "rate": 0.0},
    (BagRecord("bag [1]", (BagFile("bag.mcap", 9),), 7, 1, 2, LossRecord(None, 3, "cut {off}"), 1, 4),),
    (
        DriveRecord(
            "d/d_drive_0001_sync",
            "bag [1]",
            "/image",
            "/info",
            CAMERA,
            (KeptFrame(0, 2, 5, "ab", 1.5),),
            (DroppedFrame(1, 4, "line\nbreak", "blurred", sharpness=0.1),),
            1,
            "gap",
            "/odom",
            {"lidar": {"n": [1]}},
        ),
    ),
    1,
    0,
    "1/2",
    5,
)


def test_a_manifest_comes_back(tmp_path):
    (tmp_path / "m.json").write_text(MANIFEST.to_json())
    assert read_manifest(tmp_path / "m.json") == MANIFEST
    assert json.loads(MANIFEST.to_json())["drives"][0]["frames"][0]["parallax"] == 1.5
    assert sum('"sha256"' in line for line in MANIFEST.to_json().splitlines()) == 1  # a frame is one line


def test_the_first_version_is_still_read(tmp_path):
    content = json.loads(MANIFEST.to_json()) | {"version": 1}
    for name in ("shard", "total"):
        del content[name]
    for name in ("lost", "position", "images", "dropped"):
        del content["bags"][0][name]
    drive = content["drives"][0]
    for name in ("position", "begins", "odometry_topic", "side"):
        del drive[name]
    drive["frames"] = [{"index": 0, "source": 2, "stamp_ns": 5, "sha256": "ab"}]
    drive["dropped"] = [{"source": 1, "stamp_ns": 4, "reason": "late"}]
    (tmp_path / "m.json").write_text(json.dumps(content))
    manifest = read_manifest(tmp_path / "m.json")
    assert manifest.drives[0].frames[0].source == 2
    assert not manifest.same_input(MANIFEST.settings, MANIFEST.bags)


def test_something_else_is_one_line(tmp_path):
    (tmp_path / "m.json").write_text("[]")
    with pytest.raises(SequenceError, match="no manifest of a recording"):
        read_manifest(tmp_path / "m.json")
