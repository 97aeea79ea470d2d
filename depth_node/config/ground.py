# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How the ground is found in a depth picture: for resampling, for the camera's height in training and at run time."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class GroundSearch(Validated):
    """Which pixels the ground plane is fitted to, and how (docs/papers.md, Two-stage training)."""

    top: float = setting(0.5, "geometric candidates lie below this share of the picture's height", low=0.0, high=0.95)
    middle: float = setting(
        0.5, "geometric candidates lie in this central share of the picture's width", low=0.05, high=1.0
    )
    nearest: float = setting(
        0.9,
        "the nearest share of the candidates is used: the farthest may be infinite objects",
        low=0.05,
        high=1.0,
    )
    min_candidates: float = setting(
        0.01, "with a smaller share of ground classes in the picture, candidates are geometric", low=0.0, high=1.0
    )
    iterations: int = setting(200, "planes through three random pixels that RANSAC tries", low=1)
    tolerance: float = setting(
        0.08, "distance to the plane up to which a pixel lies on it, as a share of the camera's height", low=1e-3
    )
    max_tilt: float = setting(
        15.0, "largest angle between the plane's normal and the camera's y axis", unit="degrees", low=0.0, high=60.0
    )
    min_inliers: float = setting(0.4, "least share of the candidates on a plane to be trusted", low=0.0, high=1.0)
    seed: int = setting(0, "seed of RANSAC", low=0)
