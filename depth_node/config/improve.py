# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How a night of driving makes a checkpoint better, and when it is not let in."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class ImproveConfig(Validated):
    """What is mixed, what is refused, and what counts as better."""

    replay_share: float = setting(
        0.5,
        "share of frames of --older recordings among those learnt from: what is not shown is forgotten",
        low=0.0,
        high=0.95,
    )
    least_triplets: int = setting(100, "triplets below which a recording is refused", low=1)
    most_spoilt: float = setting(
        0.3, "share of blurred, dark or overexposed pictures above which a recording is refused", low=0.0, high=1.0
    )
    least_sharpness: float = setting(
        0.6, "sharpness relative to the --older recordings below which it is refused", low=0.0, high=1.0
    )
    focal_change: float = setting(
        0.03, "change of the focal length against the --older recordings above which it is refused", low=0.0, high=1.0
    )
    new_camera: bool = setting(False, "another camera than in the --older recordings is meant")
    resample: bool = setting(
        False, "after training leave out frames in which something was pushed to infinity, and train again"
    )
    pairs: int = setting(
        100, "most pairs of held-back pictures that old and new are compared on, of each folder", low=3
    )
    gain: float = setting(
        0.005, "by so much, relative, at least one error of the new recording has to fall", low=0.0, high=1.0
    )
    tolerance: float = setting(
        0.02, "by so much, relative, photometric error and abs_rel may rise nowhere", low=0.0, high=1.0
    )
    consistency_tolerance: float = setting(
        0.5,
        "by so much, relative, the difference of depth to that of the picture before may rise nowhere: a network that "
        "shows more is less even, one that flickers is far less",
        low=0.0,
    )
