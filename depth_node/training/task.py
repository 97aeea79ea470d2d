# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the loop of `training/loop.py` asks of something that learns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.tensorboard import SummaryWriter

Terms = Mapping[str, Tensor | float]
"""Scalars to log, by name."""


class Task(nn.Module, ABC):
    """Networks with a loss, and with what their validation says.

    Attributes:
        terms: names of what both steps log, the columns of metrics.csv.
        clip: largest norm of all gradients together; 0 for no limit.
    """

    terms: tuple[str, ...]
    clip: float = 0.0

    @abstractmethod
    def optimizer(self, steps: int, done: int) -> tuple[Optimizer, LambdaLR]:
        """The optimizer and its schedule of a run of `steps`, of which `done` are behind."""

    @abstractmethod
    def training_step(self, batch: Any, step: int) -> tuple[Tensor, Terms]:
        """The loss of a batch, and its terms, in step `step`, from 0. What it draws depends on seed and step alone."""

    def start_validation(self) -> None:
        """Forget what an interrupted validation has left."""

    @abstractmethod
    def validation_step(self, batch: Any) -> None:
        """Take a batch into account."""

    @abstractmethod
    def end_validation(self) -> Terms:
        """The terms over all batches of all processes."""

    @abstractmethod
    def error(self, validated: Mapping[str, float]) -> float:
        """What a validation's terms say about the networks: the lower, the better; infinite or NaN is never best."""

    @abstractmethod
    def save(self, path: Path, steps: int, metrics: Mapping[str, float]) -> None:
        """Write the networks as a checkpoint; `metrics` are the latest terms, as 'train/name' and 'val/name'."""

    def draw(self, batches: Sequence[Any], folder: Path, board: SummaryWriter, step: int) -> None:
        """Show something of some batches of a validation."""
