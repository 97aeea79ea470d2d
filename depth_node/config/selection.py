# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures of a drive a network can learn from."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class SelectionConfig(Validated):
    """Frames that teach depth: the camera moves on between them, and they are sharp, well exposed and new."""

    motion: str = setting(
        "auto",
        "how motion is measured; auto: by odometry and pictures where the bag has odometry for this camera's time, "
        "by pictures alone where not",
        choices=("auto", "image", "odometry"),
    )
    min_parallax: float = setting(
        0.25,
        "pictures are skipped until things have shifted by this much since the last kept one, rotation taken out",
        unit="% of the picture's width",
        low=0.0,
        high=20.0,
    )
    min_distance: float = setting(
        0.05, "with odometry: nearer than this to the last kept one a picture counts as standing still", unit="m", low=0
    )
    max_rotation: float = setting(
        10.0, "turning on the spot by more than this starts a new drive", unit="degrees", low=1.0, high=90.0
    )
    max_pause: float = setting(5.0, "standing still for longer than this starts a new drive", unit="s", low=0.1)
    min_sharpness: float = setting(
        0.5, "sharpness below this share of the median of the pictures before is a blur", low=0.0, high=1.0
    )
    max_clipped: float = setting(0.6, "share of pixels that are black or white from which on a picture is dropped",
                                 low=0.01, high=1.0)  # fmt: skip
