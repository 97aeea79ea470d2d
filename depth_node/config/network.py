"""What a depth network is: everything needed to build it again from a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting
from depth_node.errors import ConfigError

ARCHITECTURES = ("hr_depth_resnet18", "lite_hr_depth", "monodepth2_resnet18", "monodepth2_resnet50")
POSE_ARCHITECTURES = ("pose_resnet18", "posenet")
STRIDE = 32


@dataclass(frozen=True)
class NetworkConfig(Validated):
    """Architecture, input size and depth range. The checkpoint fixes these; they are no node parameters."""

    architecture: str = setting("lite_hr_depth", "depth network", choices=ARCHITECTURES)
    pose: str = setting("pose_resnet18", "pose network, used in training only", choices=POSE_ARCHITECTURES)
    height: int = setting(192, "height of the network input, a multiple of 32", unit="px", low=64, high=2048)
    width: int = setting(640, "width of the network input, a multiple of 32", unit="px", low=64, high=4096)
    min_depth: float = setting(0.1, "depth at disparity 1, in network units", low=1e-3, high=10.0)
    max_depth: float = setting(100.0, "depth at disparity 0, in network units", low=1.0)
    timm_se_order: bool = setting(
        False,
        "MobileNetV3: squeeze-excitation after the activation as in timm's ImageNet weights; false is HR-Depth's order",
    )

    def __post_init__(self) -> None:
        """Check bounds and divisibility; raises ConfigError."""
        super().__post_init__()
        if self.height % STRIDE or self.width % STRIDE:
            raise ConfigError(
                f"input size {self.width}x{self.height} is not a multiple of {STRIDE}: "
                f"use {round(self.width / STRIDE) * STRIDE}x{round(self.height / STRIDE) * STRIDE}"
            )
        if self.min_depth >= self.max_depth:
            raise ConfigError(f"min_depth {self.min_depth:g} must be below max_depth {self.max_depth:g}")
