# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Lays Cityscapes' video out as drives for `depth train`: one of 30 frames around every frame with a camera file.

Pictures are linked, not copied. Needs leftImg8bit_sequence_trainvaltest and camera_trainvaltest of
cityscapes-dataset.com, unpacked into one folder.

  python experiments/link_cityscapes.py cityscapes/ --split train --output cityscapes_drives/
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import numpy as np
import torch

from depth_node.geometry.intrinsics import scale_intrinsics
from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.layout import frame_name, read_image

WIDTH, HEIGHT = 2048, 1024
BEFORE, AFTER = 19, 10
"""The frame with a camera file is the twentieth of its thirty."""


def link_drive(camera_file: Path, pictures: Path, output: Path) -> int:
    """Make one drive, with the intrinsics of pictures of any size; returns the number of its frames."""
    city, sequence, frame, _ = camera_file.name.split("_")
    intrinsic = json.loads(camera_file.read_text())["intrinsic"]
    K = np.array([[intrinsic["fx"], 0, intrinsic["u0"]], [0, intrinsic["fy"], intrinsic["v0"]], [0, 0, 1]])
    names = (f"{city}_{sequence}_{int(frame) + i:06d}_leftImg8bit.png" for i in range(-BEFORE, AFTER + 1))
    found = [pictures / name for name in names if (pictures / name).exists()]
    if not found:
        return 0
    folder = output / f"{city}_{sequence}_{frame}"
    data = folder / "drive" / "image_02" / "data"
    data.mkdir(parents=True)
    # Many keep these 324 GB at half the size: the calibration is that of the pictures as they are.
    height, width = read_image(found[0]).shape[:2]
    K = scale_intrinsics(torch.from_numpy(K), width / WIDTH, height / HEIGHT).numpy()
    write_calibration(folder, K, width, height, stamp_ns=0)
    for index, picture in enumerate(found):
        os.symlink(picture.absolute(), data / frame_name(index, ".png"))
    return len(found)


def main() -> None:
    """Link every drive of a split."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cityscapes", type=Path)
    parser.add_argument("--split", default="train")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    cameras = sorted((args.cityscapes / "camera" / args.split).glob("*/*_camera.json"))
    if not cameras:
        raise SystemExit(f"no camera files in {args.cityscapes / 'camera' / args.split}")
    videos = args.cityscapes / "leftImg8bit_sequence" / args.split
    frames = sum(link_drive(camera, videos / camera.parent.name, args.output) for camera in cameras)
    if frames == 0:
        raise SystemExit(
            f"no pictures in {videos} for the camera files: unpack leftImg8bit_sequence_trainvaltest there"
        )
    print(f"{len(cameras)} drives, {frames} frames in {args.output}")


if __name__ == "__main__":
    main()
