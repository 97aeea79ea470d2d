# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a depth network is: everything needed to build it again from a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field

from depth_node.config.setting import Validated, setting
from depth_node.errors import ConfigError

ARCHITECTURES = ("hr_depth_resnet18", "lite_hr_depth", "monodepth2_resnet18", "monodepth2_resnet50", "packnet01")
POSE_ARCHITECTURES = ("pose_resnet18", "pose_resnet50", "posenet")
STRIDE = 32
SCALES = 4
"""Sizes at which decoders predict disparity: scale i is 1 / 2^i of the input."""
INPUT = "image"
DEPTH, LOGITS = "depth", "logits"
DISPARITIES = tuple(f"disparity_{i}" for i in range(SCALES))
"""What goes into a network that left PyTorch, and what comes out, by name; disparities finest first."""
LEVELS = range(5)
"""Sizes at which decoders can be guided: level i is 1 / 2^i of the input."""


@dataclass(frozen=True)
class GuidanceConfig(Validated):
    """How semantic features steer the depth decoder (docs/papers.md, Semantic guidance)."""

    levels: str = setting("0,1,2,3,4", "guided decoder levels, finest first: i stands for 1 / 2^i of the input size")
    channels: int = setting(32, "channels of a guide, a multiple of 16", low=16, high=1024)
    kernel: int = setting(3, "side of a pixel-adaptive kernel, odd", unit="px", low=3, high=9)
    sigma: float = setting(
        1.0,
        "width of the kernels at the start of training, in root mean square difference of the guide's channels",
        low=1e-3,
    )

    def __post_init__(self) -> None:
        """Check the levels' form and divisibility; raises ConfigError."""
        super().__post_init__()
        self.level_numbers()
        if self.channels % 16 or self.kernel % 2 == 0:
            raise ConfigError(
                f"guidance.channels {self.channels} must be a multiple of 16 and guidance.kernel {self.kernel} odd"
            )

    def level_numbers(self) -> tuple[int, ...]:
        """The guided levels as numbers, ascending; raises ConfigError where they are none."""
        words = [word.strip() for word in self.levels.split(",")]
        if not all(word.isdecimal() and int(word) in LEVELS for word in words) or len(set(words)) < len(words):
            raise ConfigError(f"guidance.levels '{self.levels}' must list some of 0,1,2,3,4 once, such as '1,2,3,4'")
        return tuple(sorted(int(word) for word in words))


@dataclass(frozen=True)
class NetworkConfig(Validated):
    """Architecture, input size and depth range. The checkpoint fixes these; they are no node parameters."""

    architecture: str = setting("lite_hr_depth", "depth network", choices=ARCHITECTURES)
    pose: str = setting("pose_resnet18", "pose network, used in training only", choices=POSE_ARCHITECTURES)
    height: int = setting(192, "height of the network input, a multiple of 32", unit="px", low=64, high=2048)
    width: int = setting(640, "width of the network input, a multiple of 32", unit="px", low=64, high=4096)
    min_depth: float = setting(0.1, "depth at disparity 1, in network units (PackNet: 0.5)", low=1e-3, high=10.0)
    max_depth: float = setting(100.0, "depth at disparity 0, in network units (PackNet: 1e6)", low=1.0)
    timm_se_order: bool = setting(
        False,
        "MobileNetV3: squeeze-excitation after the activation as in timm's ImageNet weights; false is HR-Depth's order",
    )
    encoder: str = setting(
        "",
        "a timm model as the encoder, such as tf_efficientnet_lite0; empty: the one that the papers gave the decoder",
    )
    guided: bool = setting(False, "let a frozen semantic network steer the decoder by pixel-adaptive convolutions")
    guidance: GuidanceConfig = field(default_factory=GuidanceConfig)
    learn_intrinsics: bool = setting(
        False, "learn the focal length, too, from the data's as a first guess; needs bends in the road, and one camera"
    )

    def __post_init__(self) -> None:
        """Check bounds and divisibility; raises ConfigError."""
        super().__post_init__()
        if self.height % STRIDE or self.width % STRIDE:
            raise ConfigError(
                f"input size {self.width}x{self.height} is not a multiple of {STRIDE}: "
                f"use {round(self.width / STRIDE) * STRIDE}x{round(self.height / STRIDE) * STRIDE}"
            )
        if self.encoder and self.architecture == "packnet01":
            raise ConfigError("packnet01 is an encoder of its own kind: leave out network.encoder, or take a decoder")
        if self.min_depth >= self.max_depth:
            raise ConfigError(f"min_depth {self.min_depth:g} must be below max_depth {self.max_depth:g}")
