# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""When a video was taken, and by which camera, as a user says it."""

from __future__ import annotations

import pytest

from depth_node.config.record import RecordConfig
from depth_node.config.video import VideoConfig
from depth_node.errors import ConfigError


@pytest.mark.parametrize(
    ("start", "seconds"),
    [
        ("", 1),  # 0 is no stamp
        ("1970-01-01", 1),
        ("2026-05-01", 1_777_593_600),
        ("2026-05-01T12:00:00", 1_777_636_800),
        ("2026-05-01T12:00:00+02:00", 1_777_629_600),
        ("2026-05-01 12:00:00.250Z", 1_777_636_800.25),
    ],
)
def test_the_start_is_a_date(start, seconds):
    assert VideoConfig(start=start).start_ns == round(seconds * 1000) * 1_000_000


def test_a_wrong_date_is_one_line():
    with pytest.raises(ConfigError, match="'start' is 'yesterday' but must be a date"):
        VideoConfig(start="yesterday")


def test_a_camera_is_told_once():
    with pytest.raises(ConfigError, match="leave --fov out"):
        RecordConfig(fov=60.0, calibration="camera.yaml")
    assert RecordConfig(fov=60.0, learn_intrinsics=True).fov == 60.0
