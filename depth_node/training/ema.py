# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A moving average of the weights: what is validated and saved, while training goes on with the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class AverageWeights(WeightAveraging):
    """Keeps the exponential moving average of all weights and statistics; `last.ckpt` holds both.

    Put it before every callback that saves, so that they see the average of the step they save.
    """

    def __init__(self, decay: float) -> None:
        """Prepare; `decay` is the share of the old average in the new one, after the first steps."""
        super().__init__(multi_avg_fn=_Average(decay))
        self.swapped = False

    def on_train_start(self, _: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Follow the networks to their device."""
        if self._average_model is not None:
            self._average_model.to(pl_module.device)

    def on_train_end(self, *_: Any) -> None:
        """Leave the weights as they are: the run may be resumed with more steps."""

    def on_exception(self, _: lightning.Trainer, pl_module: lightning.LightningModule, *__: Any) -> None:
        """Put the weights back before they are saved, where validation was interrupted."""
        if self.swapped:
            self.swap(pl_module)

    def swap(self, module: lightning.LightningModule) -> None:
        """Exchange the module's weights and the average."""
        self._swap_models(module)

    def _swap_models(self, pl_module: lightning.LightningModule) -> None:
        super()._swap_models(pl_module)
        self.swapped = not self.swapped


class _Average:
    """Updates the average, ever slower: over the first steps it would else hardly leave the random start."""

    def __init__(self, decay: float) -> None:
        self.decay = decay

    @torch.no_grad()
    def __call__(self, averages: Sequence[Tensor], weights: Sequence[Tensor], count: Tensor | int) -> None:
        """Update `averages` in place, after `count` earlier updates."""
        if not averages[0].is_floating_point():  # counters of batch normalisation
            for average, weight in zip(averages, weights, strict=True):
                average.copy_(weight)
            return
        new = 1 - min(self.decay, (1 + int(count)) / (10 + int(count)))
        torch._foreach_lerp_(list(averages), list(weights), new)


@contextmanager
def averaged_weights(trainer: lightning.Trainer) -> Iterator[None]:
    """Inside, the trainer's module has the averaged weights; without averaging nothing changes."""
    callbacks: list[Any] = trainer.callbacks  # type: ignore[attr-defined]
    average = next((each for each in callbacks if isinstance(each, AverageWeights)), None)
    if average is None or average.swapped:
        yield
        return
    average.swap(trainer.lightning_module)
    try:
        yield
    finally:
        average.swap(trainer.lightning_module)
