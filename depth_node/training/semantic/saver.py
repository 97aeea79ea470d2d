# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Saves a semantic network in training."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import lightning

from depth_node.checkpoints.semantic import SemanticInfo, save_semantic
from depth_node.training.run.saver import RunSaver, summary
from depth_node.training.semantic.module import SemanticModule

SCORE = "val/miou"


class SaveSemanticRun(RunSaver):
    """Saves semantic checkpoints; the best is the one of highest mIoU. See `RunSaver`."""

    def __init__(self, folder: Path, info: SemanticInfo, every: int) -> None:
        super().__init__(folder, every)
        self.info = info

    def error(self, trainer: lightning.Trainer) -> float:
        """Negative mIoU; NaN, without labels, is never better."""
        return -float(trainer.callback_metrics.get(SCORE, -math.inf))

    def save_networks(self, path: Path, trainer: lightning.Trainer, module: SemanticModule) -> None:
        """Write a semantic checkpoint."""
        miou = float(trainer.callback_metrics.get(SCORE, math.nan))
        training = {**self.info.training, **summary(trainer)}
        metrics = training["metrics"]
        training["metrics"] = {name: value for name, value in metrics.items() if math.isfinite(value)}
        save_semantic(path, dataclasses.replace(self.info, miou=miou, training=training), module.network)
