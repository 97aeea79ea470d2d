# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How bags become a KITTI-style sequence folder."""

from __future__ import annotations

import re
from dataclasses import dataclass

from depth_node.config.selection import SelectionConfig
from depth_node.config.setting import setting
from depth_node.config.side_data import SideDataConfig
from depth_node.config.video import VideoConfig
from depth_node.errors import ConfigError

SPEED_ONLY = ("workers", "shard")
"""Settings that change how fast a recording is made or which share of it, never what a bag becomes."""


@dataclass(frozen=True)
class RecordConfig(SelectionConfig, SideDataConfig, VideoConfig):
    """The recorder. Workers and shards change the speed only, never the result."""

    image_topic: str = setting("", "Image or CompressedImage topic; empty finds the only one")
    camera_info_topic: str = setting("", "its CameraInfo topic; empty takes the one beside the image topic")
    calibration: str = setting(
        "", "camera_calibration's YAML, an echoed CameraInfo or KITTI's calib_cam_to_cam.txt instead of camera_info"
    )
    on_change: str = setting(
        "error",
        "when calibration, size or encoding change in mid-bag: stop, or start a new drive",
        choices=("error", "split"),
    )
    format: str = setting(
        "png",
        "file format of the pictures; jpg keeps the bytes of a JPEG topic that needs no rectification",
        choices=("png", "jpg"),
    )
    jpeg_quality: int = setting(95, "quality of newly encoded JPEG pictures", low=1, high=100)
    png_compression: int = setting(1, "effort of PNG compression, lossless at any", low=0, high=9)
    bits: int = setting(
        0, "bits in use of 16-bit pictures (a 12-bit sensor's are black otherwise); 0 finds out", low=0, high=16
    )
    rectify: str = setting(
        "auto",
        "remove lens distortion; auto: where there is any and the topic is not called image_rect; "
        "never: the pictures are rectified already, P of camera_info describes them",
        choices=("auto", "never", "always"),
    )
    stamps: str = setting(
        "header", "time of a picture: when it was taken (header) or recorded (bag)", choices=("header", "bag")
    )
    rate: float = setting(
        0.0, "even out to this many pictures per second; 0 takes all", unit="Hz", low=0.0, high=1000.0
    )
    rate_tolerance: float = setting(
        0.3, "a picture may be off its even step by this share of the period", low=0.01, high=0.5
    )
    gap: float = setting(
        0.0,
        "a longer time without pictures starts a new drive, so that no triplet crosses it; "
        "0: 2.5 times the usual distance of two pictures, at least 0.35 s",
        unit="s",
        low=0.0,
    )
    select: str = setting(
        "motion",
        "motion drops what teaches nothing (standing still, turning on the spot, blurred, badly exposed, duplicates); "
        "all keeps every readable picture",
        choices=("motion", "all"),
    )
    drive: int = setting(1, "number of the first drive of a day", low=0, high=9999)
    val_fraction: float = setting(0.1, "share of each drive kept for validation", low=0.0, high=0.9)
    context: int = setting(
        1, "neighbours a training target needs on each side; train and val share none", unit="frames", low=1, high=10
    )
    seed: int = setting(
        0, "where validation stretches lie: 0 at the end of each drive, others draw places within it", low=0
    )
    workers: int = setting(0, "threads that decode and encode pictures; 0 is one per processor core", low=0, high=256)
    shard: str = setting("", "I/N: record only every N-th bag from the I-th on, 1/N to N/N; merge the outputs then")

    def __post_init__(self) -> None:
        """Check the form of `shard` on top of types and bounds; raises ConfigError."""
        super().__post_init__()
        if self.fov and self.calibration:
            raise ConfigError(f"--calibration {self.calibration} says what the camera sees: leave --fov out")
        match = re.fullmatch(r"(\d+)/(\d+)", self.shard)
        if self.shard and not (match and 1 <= int(match[1]) <= int(match[2])):
            raise ConfigError(f"parameter 'shard' is '{self.shard}' but must be I/N with I from 1 to N, such as 1/4")

    @property
    def share(self) -> tuple[int, int]:
        """Number of this shard, from 0, and how many there are."""
        first, _, count = self.shard.partition("/")
        return (int(first) - 1, int(count)) if self.shard else (0, 1)
