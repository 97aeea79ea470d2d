# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What `depth predict` writes."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.fit import fit_setting
from depth_node.config.setting import Validated, setting
from depth_node.config.video import fov_setting


@dataclass(frozen=True)
class PredictConfig(Validated):
    """Depth of pictures and videos, offline."""

    full_resolution: bool = setting(True, "depth at the size of the picture; off gives the network's size")
    labels: bool = setting(False, "also write the semantic classes; needs a checkpoint with a semantic network")
    cloud: bool = setting(False, "also write a coloured point cloud (PLY); needs a calibrated camera")
    layout: str = setting("both", "a video shows the picture and its depth, or depth alone", choices=("both", "depth"))
    frames: bool = setting(False, "of a video, write every frame as of a picture, too")
    fov: float = fov_setting()
    max_range: float = setting(60.0, "points farther from the camera are left out of the cloud", unit="m", low=0.1)
    fit: str = fit_setting()
    device: str = setting("auto", "where to run the network", choices=("auto", "cpu", "cuda"))
    precision: str = setting("auto", "arithmetic of the network", choices=("auto", "fp32", "bf16", "fp16"))
