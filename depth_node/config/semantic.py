# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a semantic network is: everything but its classes that is needed to build it again."""

from __future__ import annotations

from dataclasses import dataclass

from depth_node.config.setting import Validated, setting
from depth_node.errors import ConfigError

SEMANTIC_ARCHITECTURES = ("fpn", "segformer")
NORM_GROUPS = 32
"""Groups of the GroupNorm in the segmentation branches of the feature pyramid network."""


@dataclass(frozen=True)
class SemanticConfig(Validated):
    """Architecture of the semantic network. Its checkpoint fixes these."""

    architecture: str = setting("fpn", "semantic network", choices=SEMANTIC_ARCHITECTURES)
    encoder: str = setting(
        "resnet101",
        "encoder of segmentation_models_pytorch, such as resnet101, mit_b0 or tu-<model of timm>; "
        "tu-lcnet_075 is small enough for a CPU",
    )
    pyramid_channels: int = setting(256, "channels of each pyramid level (fpn)", low=8, high=1024)
    segmentation_channels: int = setting(128, "channels before the classes", low=8, high=1024)

    def __post_init__(self) -> None:
        """Check bounds and divisibility; raises ConfigError."""
        super().__post_init__()
        if self.architecture == "fpn" and self.segmentation_channels % NORM_GROUPS:
            raise ConfigError(
                f"segmentation_channels {self.segmentation_channels} must be a multiple of {NORM_GROUPS} for fpn"
            )
