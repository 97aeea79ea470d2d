"""How predicted depth is compared with measured depth: the choices of the Eigen protocol."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting
from depth_node.errors import ConfigError

CROPS = ("garg", "none")
GROUND_TRUTHS = ("auto", "png", "velodyne", "simulation")
VELODYNE_DEPTHS = ("forward", "camera")


@dataclass(frozen=True)
class EvaluationConfig(Validated):
    """The defaults are the raw Eigen protocol of the field's tables (KITTI, single lidar scan, 80 m)."""

    median_scaling: bool = setting(
        True, "scale each prediction by median(truth) / median(prediction); off measures the metres as predicted"
    )
    min_depth: float = setting(1e-3, "nearest depth compared; predictions are clamped to it", unit="m", low=1e-6)
    cap: float = setting(80.0, "farthest depth compared; predictions are clamped to it", unit="m", low=0.1)
    cap_ground_truth: bool = setting(
        True, "leave out truth at or beyond the cap; off is the rule of KITTI's improved ground truth (652 images)"
    )
    crop: str = setting("garg", "part of the image compared", choices=CROPS)
    ground_truth: str = setting("auto", "where measured depth comes from", choices=GROUND_TRUTHS)
    velodyne_depth: str = setting(
        "forward",
        "depth of a lidar point: its forward x in the lidar frame (as the field's tables) or its z in the camera frame",
        choices=VELODYNE_DEPTHS,
    )
    every: int = setting(1, "compare only every n-th frame", low=1)
    picture_count: int = setting(6, "number of frames to draw when pictures are asked for, evenly spread", low=1)
    device: str = setting("auto", "where to run the network", choices=("auto", "cpu", "cuda"))
    precision: str = setting("fp32", "arithmetic of the network", choices=("auto", "fp32", "bf16", "fp16"))

    def __post_init__(self) -> None:
        """Check bounds and order; raises ConfigError."""
        super().__post_init__()
        if self.min_depth >= self.cap:
            raise ConfigError(f"min_depth {self.min_depth:g} m must be below cap {self.cap:g} m")
