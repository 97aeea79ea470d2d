# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Forty pictures of a real highway as the bag that `depth demo` plays.

python experiments/make_clip.py FOLDER OUTPUT

FOLDER is a KITTI-style drive of Udacity's project video (25 Hz, undistorted, `calib_cam_to_cam.txt` beside the drive's
folder). Every third picture from one in which two cars are near is shrunk to 640 pixels and written as a JPEG.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from depth_node.kitti.layout import KittiSequence
from depth_node.simulation.bag import BAG_VERSION, COMPRESSED, INFO, camera_info

FIRST, STRIDE, COUNT, RATE = 960, 3, 40, 25.0
WIDTH, QUALITY = 640, 88
START_NS = 1_482_278_400_000_000_000  # 2016-12-21; the video has no time of its own


def main() -> None:
    """Read, shrink, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="drive, such as 2016_12_21/2016_12_21_drive_0001_sync")
    parser.add_argument("output", type=Path, help="new folder of the bag")
    args = parser.parse_args()
    sequence = KittiSequence(args.folder)
    store = get_typestore(Stores.ROS2_HUMBLE)
    T = store.types
    with Writer(args.output, version=BAG_VERSION, storage_plugin=StoragePlugin.MCAP) as bag:
        images, infos = (
            bag.add_connection(topic, f"sensor_msgs/msg/{kind}", typestore=store)
            for topic, kind in ((COMPRESSED, "CompressedImage"), (INFO, "CameraInfo"))
        )
        for number in range(COUNT):
            full = sequence.image(FIRST + STRIDE * number)
            height = round(full.shape[0] * WIDTH / full.shape[1])
            factor = WIDTH / full.shape[1]
            small = cv2.resize(full, (WIDTH, height), interpolation=cv2.INTER_AREA)
            jpeg = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].reshape(-1)
            K = np.array(sequence.K, np.float64)
            K[0], K[1] = K[0] * factor, K[1] * factor
            K[:2, 2] += (factor - 1) / 2  # pixel centres at integers
            stamp = START_NS + round(number * STRIDE / RATE * 1e9)
            time = T["builtin_interfaces/msg/Time"](sec=stamp // 10**9, nanosec=stamp % 10**9)
            header = T["std_msgs/msg/Header"](stamp=time, frame_id="camera_optical_frame")
            image = T["sensor_msgs/msg/CompressedImage"](header=header, format="rgb8; jpeg compressed bgr8", data=jpeg)
            info = camera_info(T, header, K, WIDTH, height)
            for connection, message in ((images, image), (infos, info)):
                bag.write(connection, stamp, store.serialize_cdr(message, message.__msgtype__))


if __name__ == "__main__":
    main()
