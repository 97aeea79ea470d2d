# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The script that lays Cityscapes' video out as drives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from depth_node.datasets.triplets import open_splits

SCRIPT = Path(__file__).parents[2] / "experiments/link_cityscapes.py"


def test_drives_are_read_as_any_other(tmp_path):
    videos, cameras = (tmp_path / part / "train/aachen" for part in ("leftImg8bit_sequence", "camera"))
    for folder in (videos, cameras):
        folder.mkdir(parents=True)
    for number in range(30):
        picture = np.full((64, 128, 3), 8 * number, np.uint8)
        cv2.imwrite(str(videos / f"aachen_000003_{number:06d}_leftImg8bit.png"), picture)
    intrinsic = {"fx": 2262.52, "fy": 2265.30, "u0": 1096.98, "v0": 513.137}
    (cameras / "aachen_000003_000019_camera.json").write_text(json.dumps({"intrinsic": intrinsic}))
    output = tmp_path / "drives"
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path), "--output", str(output)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "1 drives, 30 frames" in ran.stdout
    train, val = open_splits(output, 32, 64)
    assert len(train) + len(val) == 30 - 4
    assert [int(train[0].target[0, 0, 0]), int(train[0].sources[1, 0, 0, 0])] == pytest.approx([8, 16], abs=1)
    sequence, _ = train.targets[0]
    # At a sixteenth of the size; the centres of pixels are at whole numbers.
    assert sequence.K[0, 0] == pytest.approx(2262.52 / 16)
    assert sequence.K[0, 2] == pytest.approx((1096.98 + 0.5) / 16 - 0.5)
