# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How predicted depth is compared with measured depth: the choices of the Eigen protocol."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from depth_node.config.fit import fit_setting
from depth_node.config.setting import Validated, setting
from depth_node.errors import ConfigError

CROPS = ("garg", "none")
GROUND_TRUTHS = ("auto", "png", "velodyne", "simulation")
VELODYNE_DEPTHS = ("auto", "forward", "camera")
LABELS = ("auto", "none", "simulation", "png")
CLASS_AVERAGES = ("dataset", "image")


@dataclass(frozen=True)
class EvaluationConfig(Validated):
    """The defaults are the Eigen protocol of the field's tables (KITTI, 80 m)."""

    median_scaling: bool = setting(
        True, "scale each prediction by median(truth) / median(prediction); off measures the metres as predicted"
    )
    min_depth: float = setting(1e-3, "nearest depth compared; predictions are clamped to it", unit="m", low=1e-6)
    cap: float = setting(80.0, "farthest depth compared; predictions are clamped to it", unit="m", low=0.1)
    cap_ground_truth: bool = setting(
        True,
        "leave out truth at or beyond the cap; off, with --crop none, is the rule of KITTI's improved ground truth "
        "(652 images)",
    )
    crop: str = setting("garg", "part of the image compared", choices=CROPS)
    flip_post_processing: bool = setting(
        False, "average with the prediction of the mirrored image, as monodepth does (twice the time)"
    )
    ground_truth: str = setting(
        "auto",
        "where measured depth comes from; auto takes that of a simulation, else depth pictures (png), else lidar scans",
        choices=GROUND_TRUTHS,
    )
    velodyne_depth: str = setting(
        "auto",
        "depth of a lidar point: its forward x in the lidar frame (as the field's tables) or its z in the camera's; "
        "auto takes forward where the lidar looks the camera's way, as KITTI's does, else camera",
        choices=VELODYNE_DEPTHS,
    )
    labels: str = setting("auto", "where the semantic class of a pixel comes from", choices=LABELS)
    classes: str = setting("cityscapes", "classes of label pictures: cityscapes, camvid or a YAML file")
    class_average: str = setting(
        "dataset",
        "metrics of a class that tables show: over all its pixels of the dataset, or per image and then the mean",
        choices=CLASS_AVERAGES,
    )
    min_class_pixels: int = setting(
        1, "classes with fewer compared pixels in all are left out of the class average", low=1
    )
    ranges: str = setting("0,10,20,40,80", "edges of the ranges of measured depth that are reported apart", unit="m")
    fit: str = fit_setting()
    strict_split: bool = setting(False, "stop where frames of --split are not there, rather than leave them out")
    every: int = setting(1, "compare only every n-th frame", low=1)
    picture_count: int = setting(6, "number of frames to draw when pictures are asked for, evenly spread", low=1)
    device: str = setting("auto", "where to run the network", choices=("auto", "cpu", "cuda"))
    precision: str = setting("fp32", "arithmetic of the network", choices=("auto", "fp32", "bf16", "fp16"))

    def __post_init__(self) -> None:
        """Check bounds and order; raises ConfigError."""
        super().__post_init__()
        if self.min_depth >= self.cap:
            raise ConfigError(f"min_depth {self.min_depth:g} m must be below cap {self.cap:g} m")
        _ = self.range_edges

    @property
    def range_edges(self) -> tuple[float, ...]:
        """The numbers in `ranges`, ascending, metres; the last may be inf. Raises ConfigError."""
        try:
            edges = tuple(float(edge) for edge in self.ranges.split(","))
        except ValueError:
            edges = ()
        ascending = all(low < high for low, high in pairwise(edges))  # also false for NaN
        if len(edges) < 2 or not ascending or edges[0] < 0 or math.isinf(edges[0]):
            raise ConfigError(f"ranges '{self.ranges}' must be ascending depths in m, such as 0,10,20,40,80")
        return edges
