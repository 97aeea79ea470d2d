# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A compiled network that is held to PyTorch for its first real pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from depth_node.inference.backends.drift import Drift, drift_between
from depth_node.inference.backends.interface import Backend, Outputs
from depth_node.inference.backends.trial_pictures import has_contrast
from depth_node.inference.prediction import StageClock

if TYPE_CHECKING:
    from torch import Tensor

PICTURES = 3


class OnProbation(Backend):
    """Runs both for `PICTURES` pictures, then the compiled one alone; where it drifts, PyTorch alone from there on."""

    def __init__(self, trial: Backend, exact: Backend, conclude: Callable[[Drift], None]) -> None:
        """Take over both.

        Args:
            trial: the compiled network.
            exact: the same in PyTorch, in float32 on the CPU.
            conclude: is told the worst drift, once: after the last picture, or the first that does not pass.
        """
        self.info, self.classes, self.device = trial.info, trial.classes, trial.device
        self._now, self._exact, self._conclude = trial, exact, conclude
        self._worst, self._left = Drift(), PICTURES

    @property
    def name(self) -> str:  # type: ignore[override]  # an attribute elsewhere
        """Of the one that is in use."""
        return self._now.name

    @property
    def precision(self) -> str:  # type: ignore[override]  # an attribute elsewhere
        """Of the one that is in use."""
        return self._now.precision

    @property
    def batches(self) -> bool:  # type: ignore[override]  # an attribute elsewhere
        """Of the one that is in use."""
        return self._now.batches

    def run(self, batch: Tensor, scales: int, wants_logits: bool, clock: StageClock | None = None) -> Outputs:
        """See `Backend.run`; pictures without contrast, such as those of a warm-up, are no trial."""
        found = self._now.run(batch, scales, wants_logits, clock)
        if self._left and has_contrast(batch):
            found = self._tried(found, self._exact.run(batch, scales, wants_logits))
        return found

    def _tried(self, found: Outputs, exact: Outputs) -> Outputs:
        """The outputs to go on with, the trial's where they pass."""
        self._worst = self._worst.worst(drift_between(found, exact, self.info.network))
        self._left -= 1
        passes = self._worst.passes
        if not passes:
            self._now, self._left = self._exact, 0
        if not self._left:
            self._conclude(self._worst)
            self._exact = self._now  # the other's memory is free
        return found if passes else exact
