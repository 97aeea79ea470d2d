# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Lays KITTI's odometry sequences out as drives for `depth train` and `depth evaluate`.

Pictures and, where they are there, lidar scans are linked, not copied. Needs data_odometry_color (or _gray) and
data_odometry_calib of cvlibs.net, for truth data_odometry_velodyne too, unpacked into one folder with `sequences/`.

  python experiments/link_kitti_odometry.py dataset/ --output odometry_drives/
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np

from depth_node.kitti.calibration import matrix, read_numbers, write_calibration
from depth_node.kitti.layout import KittiSequence, frame_name, read_image
from depth_node.kitti.timestamps import write_timestamps

CAMERAS = {"image_2": "P2", "image_0": "P0"}
"""Folders of the left cameras, colour first, and their projections in calib.txt."""


def link_drive(sequence: Path, output: Path) -> int:
    """Make one drive of one sequence; returns the number of its frames."""
    camera = next((name for name in CAMERAS if (sequence / name).is_dir()), None)
    pictures = sorted((sequence / camera).glob("*.png")) if camera else []
    if camera is None or not pictures:
        return 0
    calibration = sequence / "calib.txt"
    numbers = read_numbers(calibration)
    projection = matrix(numbers, CAMERAS[camera], (3, 4), calibration)
    K = projection[:, :3]
    T_camera_lidar = None
    if (sequence / "velodyne").is_dir():
        T_camera_lidar = np.vstack([matrix(numbers, "Tr", (3, 4), calibration), [0.0, 0.0, 0.0, 1.0]])
        T_camera_lidar[:3, 3] += np.linalg.solve(K, projection[:, 3])  # from camera 0 to this one
    folder = output / f"odometry_{sequence.name}"
    drive = KittiSequence(folder / f"odometry_{sequence.name}_sync")
    data = drive.folder / drive.camera / "data"
    data.mkdir(parents=True)
    height, width = read_image(pictures[0]).shape[:2]
    write_calibration(folder, K, width, height, stamp_ns=0, T_camera_lidar=T_camera_lidar)
    for picture in pictures:
        index = int(picture.stem)
        os.symlink(picture.absolute(), data / frame_name(index, ".png"))
        scan = sequence / "velodyne" / f"{picture.stem}.bin"
        if scan.is_file():
            drive.velodyne_path(index).parent.mkdir(parents=True, exist_ok=True)
            os.symlink(scan.absolute(), drive.velodyne_path(index))
    times = sequence / "times.txt"
    if times.is_file():
        write_timestamps(data.parent / "timestamps.txt", (round(float(s) * 1e9) for s in times.read_text().split()))
    return len(pictures)


def main() -> None:
    """Link every sequence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="the folder that holds sequences/")
    parser.add_argument("--output", type=Path, required=True)
    args = parser.parse_args()
    sequences = sorted(path.parent for path in (args.dataset / "sequences").glob("*/calib.txt"))
    counts = [link_drive(sequence, args.output) for sequence in sequences]
    if not any(counts):
        raise SystemExit(f"no sequence with pictures and calib.txt in {args.dataset / 'sequences'}")
    print(f"{sum(map(bool, counts))} drives, {sum(counts)} frames in {args.output}")


if __name__ == "__main__":
    main()
