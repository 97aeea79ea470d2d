# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the demonstration."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class DemoConfig(Validated):
    """The demonstration drive. It is long enough to measure, short enough to wait for."""

    frames: int = setting(60, "length of the drive", low=3, high=10000)
    seed: int = setting(201, "which street; the shipped checkpoint has not seen this one", low=0)
    rate: float = setting(0.3, "speed of the camera, 1 is 10 frames a second", low=0.01, high=10.0)
    highway: bool = setting(True, "play the clip of a real highway, too")
    checkpoint: str = setting(
        "", "checkpoint to show; empty takes the shipped ones, for the street and for real cameras"
    )
    device: str = setting("auto", "where the networks run", choices=("auto", "cpu", "cuda"))
