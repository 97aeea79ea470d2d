# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated ground truth finds its drive and its frames, or says why not."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.errors import EvaluationError
from depth_node.evaluation.simulated_truth import SimulatedFrames, find_ground_truth, match_ground_truth
from depth_node.kitti.layout import KittiSequence
from depth_node.recording.manifest import BagFile, BagRecord, CameraRecord, DriveRecord, KeptFrame, Manifest
from depth_node.simulation import ground_truth as simulated

CAMERA = CameraRecord("camera", 6, 4, (), False, "plumb_bob", (), ())
DAY = "2024_01_01"


def drive_name(number):
    return f"{DAY}_drive_{number:04d}_sync"


def write_manifest(root, sizes, kept=(0, 1)):
    """A recording of one drive per bag; `sizes` of their bag files."""
    frames = tuple(KeptFrame(index, source, 0, "") for index, source in enumerate(kept))
    drives = tuple(
        DriveRecord(f"{DAY}/{drive_name(n)}", "bag", "/image", "/camera_info", CAMERA, frames, ())
        for n in range(1, len(sizes) + 1)
    )
    bags = tuple(BagRecord("bag", (BagFile("bag.mcap", size), BagFile("metadata.yaml", 5)), 9, 0, 1) for size in sizes)
    root.mkdir(parents=True, exist_ok=True)
    (root / "manifest.json").write_text(Manifest(1, "0.1.0", {}, bags, drives, 3, 0).to_json())
    return [root / DAY / drive_name(n) for n in range(1, len(sizes) + 1)]


def write_street(folder, size):
    """A simulated drive with one frame and a bag file of `size` bytes."""
    simulated.write_depth(simulated.depth_path(folder / "ground_truth", 0), np.ones((4, 6), np.float32))
    (folder / "bag").mkdir()
    (folder / "bag/bag.mcap").write_bytes(bytes(size))
    return folder / "ground_truth"


@pytest.fixture
def streets(tmp_path):
    return [write_street(tmp_path / "streets" / name, size) for name, size in (("a", 10), ("b", 20))]


def test_frames_that_the_recorder_kept(tmp_path):
    (drive,) = write_manifest(tmp_path / "recorded", [10], kept=(0, 2, 4))  # it left images 1 and 3 out
    frames = SimulatedFrames(KittiSequence(drive), tmp_path)
    assert [frames.depth_path(index).stem[-1] for index in range(3)] == ["0", "2", "4"]
    assert frames.labels_path(2) == tmp_path / "labels/0000000004.png"
    assert not frames.depth_path(3).is_file()


def test_without_manifest_frames_are_the_images_in_order(tmp_path):
    frames = SimulatedFrames(KittiSequence(tmp_path / "recorded" / DAY / drive_name(1)), tmp_path)
    assert frames.depth_path(7) == simulated.depth_path(tmp_path, 7)


def test_several_drives_in_order(streets, tmp_path):
    drives = write_manifest(tmp_path / "recorded", [10, 20])
    expected = dict(zip(drives, streets, strict=True))
    assert match_ground_truth(drives, streets) == expected
    assert match_ground_truth(drives, [tmp_path / "streets"]) == expected  # a root that holds them
    assert match_ground_truth(drives, [street.parent for street in streets]) == expected
    assert find_ground_truth(streets[1]) == [streets[1]]


def test_another_number_of_folders_than_drives(streets, tmp_path):
    drives = write_manifest(tmp_path / "recorded", [10, 20])
    with pytest.raises(EvaluationError, match=rf"^2 drives .* 1 ground truth .*{drive_name(1)}, {drive_name(2)}, in"):
        match_ground_truth(drives, streets[:1])
    with pytest.raises(EvaluationError, match="1 drives cannot be evaluated with 2 ground truth folders"):
        match_ground_truth(drives[:1], [tmp_path / "streets"])


def test_folders_in_the_wrong_order(streets, tmp_path):
    drives = write_manifest(tmp_path / "first", [10]) + write_manifest(tmp_path / "second", [20])
    assert match_ground_truth(drives, streets)
    with pytest.raises(EvaluationError, match=r"first.* was not recorded from the bag beside .*b/ground_truth"):
        match_ground_truth(drives, streets[::-1])


def test_without_bag_the_order_is_trusted(streets, tmp_path):
    drives = write_manifest(tmp_path / "first", [10]) + write_manifest(tmp_path / "second", [20])
    (streets[0].parent / "bag/bag.mcap").unlink()
    (streets[1].parent / "bag").rename(tmp_path / "moved away")
    assert match_ground_truth(drives, streets[::-1])


def test_a_folder_without_ground_truth(tmp_path):
    with pytest.raises(EvaluationError, match="holds no ground truth"):
        match_ground_truth([tmp_path], [tmp_path / "nowhere"])
