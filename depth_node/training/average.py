# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A moving average of the weights: what is validated and saved, while training goes on with the weights themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


class Average:
    """The exponential moving average of all weights and statistics of a module; without a decay it is the module."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        """Follow a module from its next update on.

        Args:
            module: on the device that it is trained on.
            decay: share of the old average in the new one, after the first steps; 0 keeps no average.
        """
        self._module = module
        self._model = AveragedModel(module, multi_avg_fn=_Decay(decay), use_buffers=True) if decay else None

    def update(self) -> None:
        """Take the module's present weights into account."""
        if self._model is not None:
            self._model.update_parameters(self._module)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Inside, the module has the averaged weights."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def state_dict(self) -> dict[str, Tensor]:
        """What a run needs to go on; empty without an average."""
        return {} if self._model is None else self._model.state_dict()

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from a saved average; a run that had none begins one."""
        if self._model is not None and state:
            self._model.load_state_dict(state)

    @torch.no_grad()
    def _swap(self) -> None:
        if self._model is None or not self._model.n_averaged:
            return
        averaged = self._model.module
        ours, theirs = (chain(module.parameters(), module.buffers()) for module in (self._module, averaged))
        for weight, average in zip(ours, theirs, strict=True):
            kept = weight.clone()
            weight.copy_(average)
            average.copy_(kept)


class _Decay:
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
