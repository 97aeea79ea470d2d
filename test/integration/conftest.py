# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of a camera that drives towards a textured wall, for tests of the recorder; and repeatable arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from depth_node.bags.reader import BagReader

TYPES = get_typestore(Stores.ROS2_HUMBLE)
STAMP = 1_317_038_400_123_456_789
STEP = 100_000_000


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One thread, as in the processes that tests start: sums over more come out another way in the last bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def texture(size: int = 700, seed: int = 0) -> np.ndarray:
    """(size, size, 3) uint8: blobs of all sizes, as corners to track."""
    random = np.random.default_rng(seed)
    layers = [
        cv2.resize(random.uniform(0, 255, (n, n, 3)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
        for n in (20, 60, 180)
    ]
    return np.clip(np.mean(layers, axis=0) * 1.6 - 80, 0, 255).astype(np.uint8)


def view(wall: np.ndarray, scale: float, width: int, height: int, turn: float = 0.0) -> np.ndarray:
    """The wall magnified about the picture's centre: from nearer by; `turn` shifts it by so many pixels."""
    middle = (wall.shape[0] - 1) / 2
    matrix = np.array(
        [[scale, 0, (width - 1) / 2 - scale * middle + turn], [0, scale, (height - 1) / 2 - scale * middle]]
    )
    return cv2.warpAffine(wall, matrix, (width, height), flags=cv2.INTER_LINEAR)


@pytest.fixture
def approach() -> Callable[..., list[np.ndarray]]:
    """Pictures (height, width, 3) uint8 RGB of a drive towards a wall, 2 % nearer with each."""

    def pictures(frames: int, width: int = 320, height: int = 240, step: float = 1.02) -> list[np.ndarray]:
        wall = texture()
        return [view(wall, step**index, width, height) for index in range(frames)]

    return pictures


@pytest.fixture
def drive_bag(tmp_path: Path, bag_maker: type, approach: Callable[..., list[np.ndarray]]) -> Callable[..., Path]:
    """A function that writes a bag of such a drive with its calibration."""

    def make(name: str = "drive", frames: int = 24, storage: str = "mcap", zstd: str = "", start: int = 0) -> Path:
        with bag_maker(tmp_path / name, storage, zstd) as bag:
            for index, picture in enumerate(approach(frames)):
                stamp = STAMP + (start + index) * STEP
                bag.image(stamp, picture)
                bag.info(stamp, 320, 240, focal=250.0)
        return tmp_path / name

    return make


@pytest.fixture
def split_bag(tmp_path: Path, drive_bag: Callable[..., Path]) -> Callable[[int], Path]:
    """A function that writes a drive of 24 frames as a bag split into several files."""

    def make(parts: int) -> Path:
        folder = tmp_path / f"split{parts}"
        folder.mkdir()
        whole = drive_bag("unsplit", 24)
        with BagReader(whole) as reader:
            messages = list(reader.messages([topic.name for topic in reader.topics]))
        texts = []
        for number in range(parts):
            name = f"{folder.name}_{number}"
            share = messages[number * len(messages) // parts : (number + 1) * len(messages) // parts]
            with Writer(tmp_path / name, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
                kinds = {message.topic: message.type for message in share}
                topics = {topic: writer.add_connection(topic, kinds[topic], typestore=TYPES) for topic in kinds}
                for message in share:
                    writer.write(topics[message.topic], message.time_ns, message.raw)
            (tmp_path / name / f"{name}.mcap").rename(folder / f"{name}.mcap")
            texts.append(f"{name}.mcap")
        metadata = yaml.safe_load((whole / "metadata.yaml").read_text())
        metadata["rosbag2_bagfile_information"]["relative_file_paths"] = texts
        (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata))
        return folder

    return make
