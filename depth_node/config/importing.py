# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How `depth import` reads the official files of other projects."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting

FAMILIES = ("hr_depth", "lite_hr_depth", "monodepth2", "packnet_sfm")


@dataclass(frozen=True)
class ImportConfig(Validated):
    """Import of official weights; 0 takes what the files say or the family uses."""

    family: str = setting("auto", "whose files these are; auto finds out", choices=("auto", *FAMILIES))
    height: int = setting(0, "height of the network input, a multiple of 32", unit="px", low=0)
    width: int = setting(0, "width of the network input, a multiple of 32", unit="px", low=0)
    min_depth: float = setting(0.0, "depth at disparity 1, where the training run changed it", low=0.0)
    max_depth: float = setting(0.0, "depth at disparity 0, where the training run changed it", low=0.0)
    scale: float = setting(0.0, "metres per network unit, where it is known", low=0.0)
