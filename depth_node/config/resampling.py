# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How frames with objects of infinite depth are found (docs/papers.md, Two-stage training); most numbers are open."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.ground import GroundSearch
from depth_node.config.setting import setting

REFERENCE_PIXELS = 640 * 192
"""The picture that the paper counts its pixels in."""
CANDIDATES = ("auto", "labels", "network", "geometric")


@dataclass(frozen=True)
class ResamplingConfig(GroundSearch):
    """Which frames are dropped between the two stages of training."""

    candidates: str = setting(
        "auto",
        "pixels that the ground plane is fitted to: ground classes of label pictures (labels) or of the checkpoint's "
        "semantic network (network), a part of the picture (geometric), or the first of these there is (auto)",
        choices=CANDIDATES,
    )
    classes: str = setting("cityscapes", "classes of label pictures: cityscapes, camvid or a YAML file")
    camera_height: float = setting(
        1.65, "the camera's height over the ground, which gives depth its unit (KITTI: 1.65)", unit="m", low=0.01
    )
    margin: float = setting(0.5, "a pixel this far below the plane is significantly below it", unit="m", low=0.0)
    slope: float = setting(
        0.03, "and this much farther below per metre of depth: roads bend down, and planes are a little askew", low=0.0
    )
    row_support: float = setting(
        0.1,
        "least share of a row's pixels that lie on the plane, for the others of the row to count: beyond a crest, "
        "where the whole road falls off, none does",
        low=0.0,
        high=1.0,
    )
    support_tolerance: float = setting(
        0.2, "relative difference of depth up to which a pixel lies on the plane in this sense", low=1e-3
    )
    threshold: float = setting(
        10.0, "drop frames with more pixels below ground than this, at 640x192; scales with the picture's area", low=0.0
    )
    keep_at_least: float = setting(
        0.3, "stop, rather than drop so many frames that a smaller share is left", low=0.0, high=1.0
    )
    worst: int = setting(12, "number of dropped frames, worst first, to draw in the report", low=0)
    batch_size: int = setting(8, "pictures predicted at once", low=1)
    workers: int = setting(2, "processes that decode pictures; 0 decodes in the main process", low=0, high=64)
    device: str = setting("auto", "where to run the network", choices=("auto", "cpu", "cuda"))
    precision: str = setting("auto", "arithmetic of the network", choices=("auto", "fp32", "bf16", "fp16"))

    def allowed(self, height: int, width: int) -> float:
        """The count of pixels up to which a frame of this size is kept: the threshold, scaled with the area."""
        return self.threshold * height * width / REFERENCE_PIXELS
