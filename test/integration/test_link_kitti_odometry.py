# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The script that lays KITTI's odometry sequences out as drives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from depth_node.datasets.triplets import open_splits
from depth_node.evaluation.ground_truth import LidarScans
from depth_node.kitti.formats import write_velodyne

SCRIPT = Path(__file__).parents[2] / "experiments/link_kitti_odometry.py"
FOCAL, BASELINE = 70.0, 0.06
TR = "0 -1 0 0 0 0 -1 0 1 0 0 -0.27"


def test_a_sequence_is_read_as_any_other(tmp_path):
    sequence = tmp_path / "sequences/03"
    (sequence / "image_2").mkdir(parents=True)
    P2 = f"{FOCAL} 0 60 {FOCAL * BASELINE} 0 {FOCAL} 18 0 0 0 1 0"
    (sequence / "calib.txt").write_text(f"P0: {FOCAL} 0 60 0 0 {FOCAL} 18 0 0 0 1 0\nP2: {P2}\nTr: {TR}\n")
    (sequence / "times.txt").write_text("".join(f"{i * 0.1:e}\n" for i in range(20)))
    for number in range(20):
        cv2.imwrite(str(sequence / f"image_2/{number:06d}.png"), np.full((36, 120, 3), 8 * number, np.uint8))
    # A point that lies 10 m before camera 2, 1 m to its right: camera 0 sits BASELINE to the left of what it sees.
    write_velodyne(sequence / "velodyne/000004.bin", np.array([[10.27, -(1.0 - BASELINE), 0.0, 0.5]], np.float32))
    output = tmp_path / "drives"
    command = [sys.executable, str(SCRIPT), str(tmp_path), "--output", str(output)]
    assert "1 drives, 20 frames" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
    train, val = open_splits(output, 32, 96)
    assert len(train) + len(val) == 20 - 4
    (drive, _) = train.targets[0]
    np.testing.assert_allclose(drive.K, [[FOCAL, 0, 60], [0, FOCAL, 18], [0, 0, 1]])
    depth = LidarScans(drive, "camera").read(4)
    rows, columns = np.nonzero(np.isfinite(depth))
    assert (columns.tolist(), rows.tolist()) == (
        [round(60 + FOCAL / 10) - 1],
        [18 - 1],
    )  # the tables' pixels begin at 1
    assert depth[rows[0], columns[0]] == pytest.approx(10.0)


def test_a_folder_without_sequences_is_one_line(tmp_path):
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), "--output", str(tmp_path / "out")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "no sequence with pictures" in ran.stderr
