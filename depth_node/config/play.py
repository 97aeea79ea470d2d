# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the camera player."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class PlayConfig(Validated):
    """Playing a bag on ROS 2."""

    rate: float = setting(1.0, "speed, 1 is as recorded", low=0.01, high=100.0)
    loop: bool = setting(False, "start over at the end, until interrupted")
    reliability: str = setting("reliable", "quality of service that is offered", choices=("reliable", "best_effort"))
    image: str = setting(
        "as_recorded",
        "raw decodes compressed images and publishes them as bgr8, as an uncompressed camera would",
        choices=("as_recorded", "raw"),
    )
    camera_name: str = setting("", "publish image and camera_info below /NAME/ instead of under their recorded names")
    wait: float = setting(
        30.0, "wait up to this long for a subscriber of the images; 0 starts at once", unit="s", low=0.0, high=3600.0
    )
    subscribers: int = setting(1, "wait for so many subscriptions, to all topics together", low=1, high=1000)
    clock: bool = setting(False, "publish the recorded time on /clock, for nodes with use_sim_time")
