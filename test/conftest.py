# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all tests: an isolated ROS domain, the shared real data, bags made to order, a small checkpoint."""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

ROOT = Path(__file__).parents[1]
START_NS = 1_317_038_400_123_456_789
"""2011-09-26 12:00:00.123456789 UTC, for stamps with all nine decimals."""
SECOND = 1_000_000_000
TYPES = get_typestore(Stores.ROS2_HUMBLE)
BOOTSTRAPPED = "_ROS_WHEELS_BOOTSTRAP_COMPLETE"


def pytest_configure(config: pytest.Config) -> None:
    """Let the ROS wheels restart the interpreter now, if they still have to, and keep this run to itself on DDS."""
    if importlib.util.find_spec("ros_wheels_bootstrapper") and not os.environ.get(BOOTSTRAPPED):
        # Usually a .pth file has done this at start-up. Here pytest's output must be given back first, or it is lost.
        capture = config.pluginmanager.getplugin("capturemanager")
        if capture is not None:
            capture.stop_global_capturing()
        sys.stdout.flush()
        import ros_wheels_bootstrapper  # noqa: F401
    os.environ.setdefault("DEPTH_NODE_CACHE", str(Path(tempfile.gettempdir()) / f"depth_node_tests_{os.getpid()}"))
    os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
    if os.environ.get("ROS_DISTRO") == "humble":  # later ones warn of it at every start
        os.environ["ROS_LOCALHOST_ONLY"] = "1"
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real driving pictures; skips where it is absent."""
    folder = Path(os.environ.get("DEPTH_NODE_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"real pictures are not at {folder}; set DEPTH_NODE_SHARED to the folder that holds data/")
    return folder


@pytest.fixture(scope="session")
def ros() -> Iterator[Any]:
    """rclpy, initialised for the whole run; skips where it is absent."""
    rclpy = pytest.importorskip("rclpy", reason="rclpy is not installed")
    rclpy.init()
    yield rclpy
    rclpy.try_shutdown()


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoint of a network with random weights: 128x64 pixels, 10 m per unit."""
    import torch

    from depth_node.checkpoints.depth import CheckpointInfo, save_checkpoint
    from depth_node.config.network import NetworkConfig
    from depth_node.networks.factory import build_depth_network

    torch.manual_seed(0)
    config = NetworkConfig(architecture="lite_hr_depth", height=64, width=128)
    path = tmp_path_factory.mktemp("checkpoint") / "small.safetensors"
    info = CheckpointInfo(network=config, scale=10.0, scale_source="ground_truth")
    save_checkpoint(path, info, build_depth_network(config))
    return path


@pytest.fixture(scope="session")
def guided_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoint of a guided network with random weights: 128x64 pixels, 10 m per unit, Cityscapes' classes."""
    path = tmp_path_factory.mktemp("checkpoint") / "guided.safetensors"
    write_semantic_checkpoint(path, "lite_hr_depth", guided=True)
    return path


@pytest.fixture(scope="session")
def make_semantic_checkpoint() -> Callable[..., None]:
    """The function `write_semantic_checkpoint`."""
    return write_semantic_checkpoint


def write_semantic_checkpoint(path: Path, architecture: str, guided: bool, height: int = 64, width: int = 128) -> None:
    """Write a depth checkpoint with a small semantic network, both with random weights, 10 m per unit.

    It sees sky in a tenth of every random picture, and many other classes in the rest.
    """
    import torch

    from depth_node.checkpoints.depth import CheckpointInfo, save_checkpoint
    from depth_node.checkpoints.semantic_info import SemanticInfo
    from depth_node.config.classes import CITYSCAPES
    from depth_node.config.network import NetworkConfig
    from depth_node.config.semantic import SemanticConfig
    from depth_node.networks.factory import build_depth_network
    from depth_node.networks.semantic import SemanticNetwork

    torch.manual_seed(0)
    small = SemanticConfig(encoder="tu-mobilenetv3_small_050", pyramid_channels=64, segmentation_channels=32)
    semantic = SemanticNetwork(small, CITYSCAPES)
    with torch.no_grad():
        semantic.model.segmentation_head[0].bias[CITYSCAPES.index("sky")] += 4.0
    config = NetworkConfig(architecture=architecture, height=height, width=width, guided=guided)
    depth = build_depth_network(config, semantic_channels=semantic.channels)
    about = SemanticInfo(small, CITYSCAPES, height, width)
    info = CheckpointInfo(network=config, scale=10.0, scale_source="ground_truth", semantic=about)
    save_checkpoint(path, info, depth, semantic=semantic)


class BagMaker:
    """Writes a small ROS 2 bag; use with `with`."""

    def __init__(self, folder: Path, storage: str = "mcap", zstd: str = "") -> None:
        plugin = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}[storage]
        self.folder = folder
        self._writer = Writer(folder, version=8, storage_plugin=plugin)
        if zstd:
            self._writer.set_compression(CompressionMode[zstd.upper()], CompressionFormat.ZSTD)
        self._connections: dict[str, Any] = {}

    def __enter__(self) -> BagMaker:
        self._writer.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def add(self, topic: str, type_name: str, time_ns: int, **fields: Any) -> None:
        """Write one message of `package/msg/Type`."""
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic, type_name, typestore=TYPES)
        message = TYPES.types[type_name](**fields)
        self._writer.write(self._connections[topic], time_ns, TYPES.serialize_cdr(message, type_name))

    def header(self, stamp_ns: int) -> Any:
        """A header in the camera's optical frame."""
        stamp = TYPES.types["builtin_interfaces/msg/Time"](sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND)
        return TYPES.types["std_msgs/msg/Header"](stamp=stamp, frame_id="camera_optical_frame")

    def image(
        self,
        stamp_ns: int,
        pixels: np.ndarray,
        encoding: str = "rgb8",
        topic: str = "/camera/image_raw",
        time_ns: int | None = None,
    ) -> None:
        """Write (H, W[, C]) pixels as a raw image."""
        height, width = pixels.shape[:2]
        data = np.ascontiguousarray(pixels).view(np.uint8).ravel()
        self.add(
            topic,
            "sensor_msgs/msg/Image",
            stamp_ns if time_ns is None else time_ns,
            header=self.header(stamp_ns),
            height=height,
            width=width,
            encoding=encoding,
            is_bigendian=0,
            step=data.size // height,
            data=data,
        )

    def compressed(
        self,
        stamp_ns: int,
        data: bytes,
        format: str = "jpeg",
        topic: str = "/camera/image_raw/compressed",
        time_ns: int | None = None,
    ) -> None:
        """Write an encoded picture."""
        self.add(
            topic,
            "sensor_msgs/msg/CompressedImage",
            stamp_ns if time_ns is None else time_ns,
            header=self.header(stamp_ns),
            format=format,
            data=np.frombuffer(data, np.uint8),
        )

    def info(
        self,
        stamp_ns: int,
        width: int,
        height: int,
        focal: float = 100.0,
        distortion: Sequence[float] = (),
        model: str = "plumb_bob",
        projection: np.ndarray | None = None,
        topic: str = "/camera/camera_info",
    ) -> None:
        """Write the calibration of a camera that looks straight ahead."""
        k = np.array([focal, 0, width / 2, 0, focal, height / 2, 0, 0, 1 if focal else 0], np.float64)
        p = np.zeros(12) if projection is None else np.asarray(projection, np.float64).ravel()
        roi = TYPES.types["sensor_msgs/msg/RegionOfInterest"](
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        )
        self.add(
            topic,
            "sensor_msgs/msg/CameraInfo",
            stamp_ns,
            header=self.header(stamp_ns),
            height=height,
            width=width,
            distortion_model=model,
            d=np.array(distortion, np.float64),
            k=k,
            r=np.eye(3).ravel(),
            p=p,
            binning_x=0,
            binning_y=0,
            roi=roi,
        )


@pytest.fixture
def bag_maker() -> type[BagMaker]:
    """The class that writes bags."""
    return BagMaker


@pytest.fixture
def make_bag(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a bag of random raw pictures with their calibration and returns its folder."""

    def make(
        name: str = "bag", frames: int = 6, width: int = 32, height: int = 24, storage: str = "mcap", **info: Any
    ) -> Path:
        pixels = np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), np.uint8)
        with BagMaker(tmp_path / name, storage) as bag:
            for index in range(frames):
                stamp = START_NS + index * SECOND // 10
                bag.image(stamp, pixels[index])
                bag.info(stamp, width, height, **info)
        return tmp_path / name

    return make
