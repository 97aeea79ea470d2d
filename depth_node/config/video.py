# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a video or a folder of pictures does not say of itself: when it was taken, and by which camera."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

from depth_node.config.setting import Validated, setting
from depth_node.errors import ConfigError

FIRST_GUESS = 60.0
"""Degrees from side to side of a camera of which nothing is known, between phones (65) and narrow lenses."""
SECOND = 1_000_000_000


def fov_setting() -> float:
    """The setting of a horizontal field of view, 0 where it is not known."""
    about = "what the camera sees from the left side of its pictures to the right, instead of a calibration; 0 unknown"
    field: float = setting(0.0, about, unit="degrees", low=0.0, high=170.0)
    return field


@dataclass(frozen=True)
class VideoConfig(Validated):
    """Time and camera of what does not know them: a video, a folder of pictures, a bag without camera_info."""

    fov: float = fov_setting()
    learn_intrinsics: bool = setting(
        False,
        f"the camera is not known: --fov, --calibration or else {FIRST_GUESS:g} degrees are a first guess, which "
        "training is to better with --network.learn_intrinsics",
    )
    start: str = setting(
        "", "when a video or the first picture of a folder was taken, such as 2026-05-01T12:30:00 (UTC); empty: 1970"
    )
    picture_rate: float = setting(
        10.0, "pictures per second of a folder of pictures, which says nothing of time", unit="Hz", low=0.01, high=1e3
    )

    def __post_init__(self) -> None:
        """Check the form of `start` on top of types and bounds; raises ConfigError."""
        super().__post_init__()
        _ = self.start_ns

    @property
    def start_ns(self) -> int:
        """Stamp of the first picture, ns since 1970 UTC; never 0, which in ROS says that there is no stamp."""
        if not self.start:
            return SECOND
        try:
            moment = datetime.fromisoformat(self.start.replace("Z", "+00:00"))  # Python 3.10 does not read the Z
        except ValueError:
            raise ConfigError(
                f"parameter 'start' is '{self.start}' but must be a date such as 2026-05-01T12:30:00"
            ) from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
        elapsed = moment - datetime.fromtimestamp(0, timezone.utc)
        return max((elapsed.days * 86400 + elapsed.seconds) * SECOND + elapsed.microseconds * 1000, SECOND)
