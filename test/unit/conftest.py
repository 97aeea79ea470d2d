# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Small real things that tests of several parts share: a checkpoint and a drive with measured depth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.formats import write_depth
from depth_node.kitti.layout import KittiSequence
from depth_node.kitti.search import find_sequences
from depth_node.scale.depth_frame import DepthFrame

HEIGHT, WIDTH, FRAMES = 60, 200, 4
START_NS = 1_317_038_400_123_456_789
T = get_typestore(Stores.ROS2_HUMBLE).types


@pytest.fixture(scope="session")
def checkpoint_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of Lite-HR-Depth with random weights, 64 x 192; copy it before changing it."""
    import torch

    from depth_node.checkpoints.depth import CheckpointInfo, save_checkpoint
    from depth_node.config.network import NetworkConfig
    from depth_node.networks.factory import build_depth_network

    torch.manual_seed(0)
    config = NetworkConfig(height=64, width=192)
    path = tmp_path_factory.mktemp("checkpoint") / "random.safetensors"
    save_checkpoint(path, CheckpointInfo(network=config), build_depth_network(config))
    return path


@pytest.fixture
def measured_drive(tmp_path: Path) -> KittiSequence:
    """A drive of four random pictures, the last three of which have a depth picture (20 m, 10 m on the right)."""
    drive = tmp_path / "kitti/2024_01_01/2024_01_01_drive_0001_sync"
    pictures = drive / "image_02/data"
    pictures.mkdir(parents=True)
    write_calibration(drive.parent, np.array([[150.0, 0, 99.5], [0, 150, 29.5], [0, 0, 1]]), WIDTH, HEIGHT, stamp_ns=0)
    random = np.random.default_rng(0)
    for index in range(FRAMES):
        cv2.imwrite(str(pictures / f"{index:010d}.png"), random.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8))
    sequence = find_sequences(drive)[0]
    depth = np.full((HEIGHT, WIDTH), 20.0)
    depth[:, WIDTH // 2 :] = 10.0
    for index in range(1, FRAMES):
        write_depth(sequence.depth_path(index), depth)
    return sequence


@pytest.fixture
def side_bag_maker(bag_maker):
    """The class that writes bags, extended by where sensors sit."""

    class SideBagMaker(bag_maker):
        def mount(self, parent: str, child: str, shift: Sequence[float], turn: Sequence[float] = (0, 0, 0, 1)) -> None:
            transform = T["geometry_msgs/msg/Transform"](
                translation=T["geometry_msgs/msg/Vector3"](*map(float, shift)),
                rotation=T["geometry_msgs/msg/Quaternion"](*map(float, turn)),
            )
            header = T["std_msgs/msg/Header"](stamp=self.header(START_NS).stamp, frame_id=parent)
            stamped = T["geometry_msgs/msg/TransformStamped"](header=header, child_frame_id=child, transform=transform)
            self.add("/tf_static", "tf2_msgs/msg/TFMessage", START_NS, transforms=[stamped])

    return SideBagMaker


@pytest.fixture
def cloud():
    """A function that makes a PointCloud2-like message of a structured array."""

    def make(points: np.ndarray, frame_id: str = "lidar", **changes) -> SimpleNamespace:
        codes = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 8}
        grid = np.atleast_2d(points)
        fields = [
            SimpleNamespace(name=name, offset=offset, datatype=codes[kind.str[1:]], count=1)
            for name, (kind, offset) in ((name, points.dtype.fields[name][:2]) for name in points.dtype.names)
        ]
        kinds = [points.dtype.fields[name][0].str[0] for name in points.dtype.names]
        content = {
            "header": SimpleNamespace(frame_id=frame_id),
            "height": grid.shape[0],
            "width": grid.shape[1],
            "fields": fields,
            "is_bigendian": ">" in kinds,
            "point_step": points.dtype.itemsize,
            "row_step": points.dtype.itemsize * grid.shape[1],
            "data": np.frombuffer(grid.tobytes(), np.uint8),
        }
        return SimpleNamespace(**(content | changes))

    return make


class World:
    """Road under, walls on both sides, a wall 40 m ahead of the start; every surface has a texture of its own."""

    HEIGHT, WIDTH, FOCAL = 96, 320, 186.0
    CAMERA_HEIGHT, WALL = 1.5, 6.0  # metres

    def __init__(self) -> None:
        rng = np.random.default_rng(3)
        noise = rng.integers(0, 255, (512, 512)).astype(np.uint8)
        self._texture = cv2.GaussianBlur(noise, (0, 0), 1.5).astype(np.float32)
        self._texture = (self._texture - self._texture.mean()) * 5 + 128

    def frame(self, ahead: float = 0.0, pitch: float = 0.0, stamp_ns: int = 0, unit: float = 12.0) -> DepthFrame:
        """The picture from `ahead` metres down the road, the camera looking down by `pitch` degrees."""
        K = np.array([[self.FOCAL, 0, (self.WIDTH - 1) / 2], [0, self.FOCAL, 40.0], [0, 0, 1.0]])
        y, x = np.mgrid[: self.HEIGHT, : self.WIDTH].astype(np.float64)
        rays = np.stack([(x - K[0, 2]) / self.FOCAL, (y - K[1, 2]) / self.FOCAL, np.ones_like(x)], axis=-1)
        c, s = np.cos(np.radians(pitch)), np.sin(np.radians(pitch))
        level = rays @ np.array([[1, 0, 0], [0, c, s], [0, -s, c]]).T  # to axes whose y is straight down
        with np.errstate(divide="ignore"):
            road = np.where(level[..., 1] > 1e-6, self.CAMERA_HEIGHT / level[..., 1], np.inf)
            walls = np.where(np.abs(level[..., 0]) > 1e-6, self.WALL / np.abs(level[..., 0]), np.inf)
        end = (60.0 - ahead) / level[..., 2]
        depth = np.minimum(np.minimum(road, walls), end)
        points = level * depth[..., None] + [0.0, 0.0, ahead]
        is_road, is_wall = depth == road, depth == walls
        u = np.where(is_wall, points[..., 2], points[..., 0])
        v = np.where(is_road, points[..., 2], points[..., 1] + 100 * is_wall + 200)
        maps = ((u * 20) % 511).astype(np.float32), ((v * 20) % 511).astype(np.float32)
        gray = np.clip(cv2.remap(self._texture, *maps, cv2.INTER_LINEAR), 0, 255).astype(np.uint8)
        ground, moving = is_road, np.zeros_like(is_road)
        return DepthFrame(stamp_ns, "camera", (depth / unit).astype(np.float32), K, gray, ground, moving)


@pytest.fixture(scope="session")
def world() -> World:
    """The world."""
    return World()
