# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a recording holds beside its pictures: lidar depth, motion, labels."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class SideDataConfig(Validated):
    """Depth, motion and labels of a recording. Topics that are not named are found by type; `none` leaves one out."""

    lidar_topic: str = setting("", "PointCloud2 topic of the lidar; empty finds the only one, none leaves it out")
    depth_topic: str = setting(
        "", "Image topic of depth registered to the camera (16UC1, 32FC1), as measured depth in place of a lidar's"
    )
    odometry_topic: str = setting("", "Odometry topic; empty finds the only one, none leaves it out")
    imu_topic: str = setting("", "Imu topic; empty finds the only one, none leaves it out")
    gnss_topic: str = setting("", "NavSatFix topic; empty finds the only one, none leaves it out")
    extrinsics: str = setting(
        "", "YAML file with where the sensors sit; empty takes it from /tf_static of the bag, the file wins over it"
    )
    lidar_tolerance: float = setting(
        0.05, "a scan belongs to a frame when their stamps differ by no more than this", unit="s", low=0.0, high=10.0
    )
    motion_tolerance: float = setting(
        0.2,
        "motion of a frame is interpolated between two messages no farther away than this",
        unit="s",
        low=0.0,
        high=10.0,
    )
    semantic_checkpoint: str = setting(
        "", "checkpoint or hub name (smp-hub/...) of a semantic network that labels every frame; empty for none"
    )
