# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a semantic checkpoint says about itself, as an entry of its own file or of a depth checkpoint's description."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from depth_node.config.classes import CITYSCAPES, ClassMap
from depth_node.config.semantic import SemanticConfig
from depth_node.config.setting import build, values
from depth_node.errors import ConfigError

FORMAT = 1
"""Raised whenever older versions could no longer read what is written."""


@dataclass(frozen=True)
class SemanticInfo:
    """What a semantic checkpoint says about itself.

    Attributes:
        config: architecture.
        classes: what the scores stand for.
        height: of the training images, px.
        width: of the training images, px.
        miou: mean intersection over union on held-out images, 0 to 1; NaN where unknown.
        training: summary of the training run, JSON values only.
    """

    config: SemanticConfig = field(default_factory=SemanticConfig)
    classes: ClassMap = CITYSCAPES
    height: int = 192
    width: int = 640
    miou: float = math.nan
    training: Mapping[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """The description as JSON values; `SemanticInfo.of` reads it back."""
        return {
            "format": FORMAT,
            "config": values(self.config),
            "classes": self.classes.record(),
            "height": self.height,
            "width": self.width,
            "miou": None if math.isnan(self.miou) else self.miou,
            "training": dict(self.training),
        }

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> SemanticInfo:
        """Read a description from JSON values.

        Raises:
            ConfigError: an entry is missing or malformed, or a newer version wrote it.
        """
        try:
            if record["format"] > FORMAT:
                raise ConfigError(f"semantic format {record['format']} is newer than {FORMAT}: upgrade depth_node")
            return cls(
                config=build(SemanticConfig, record["config"]),
                classes=ClassMap.of(record["classes"]),
                height=int(record["height"]),
                width=int(record["width"]),
                miou=math.nan if record["miou"] is None else float(record["miou"]),
                training=dict(record["training"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            kind = "lacks " if isinstance(error, KeyError) else ""
            raise ConfigError(f"malformed semantic description: {kind}{error}") from None
