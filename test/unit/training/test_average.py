# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Averaged weights: computed right, validated and saved, and a resumed run has the same."""

from __future__ import annotations

import copy

import pytest
import torch

from depth_node.training.average import Average
from depth_node.training.frozen_networks import FrozenSemantics

DATA = torch.arange(8.0).reshape(8, 1)


class Line(torch.nn.Module):
    """y = 2 x, with a counter and a statistic to average."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(1, 1)
        self.norm = torch.nn.BatchNorm1d(1)

    def forward(self, batch):
        line = self.layer(batch)
        return 0.02 * (line - 2 * batch).square().mean() + 0.02 * self.norm(line).mean()


class Run:
    """Gradient descent whose weights are averaged."""

    def __init__(self, decay=0.5):
        self.line = Line()
        self.optimizer = torch.optim.SGD(self.line.parameters(), lr=0.1)
        self.average = Average(self.line, decay)
        self.history = []

    def go(self, steps):
        for step in range(len(self.history), len(self.history) + steps):
            self.optimizer.zero_grad()
            self.line(DATA[step * 2 % 8 : step * 2 % 8 + 2]).backward()
            self.optimizer.step()
            self.average.update()
            self.history.append(self.weight)
        return self

    @property
    def weight(self):
        return self.line.layer.weight.item()


def average_of(history):
    """The moving average as defined: it starts with the first weights and moves faster at first."""
    average = history[0]
    for count, weight in enumerate(history[1:], start=1):
        decay = min(0.5, (1 + count) / (10 + count))
        average = decay * average + (1 - decay) * weight
    return average


def test_the_average_is_in_place_inside_and_the_weights_outside():
    run = Run().go(12)
    with run.average.in_place():
        assert run.weight == pytest.approx(average_of(run.history), rel=1e-5)
        assert run.line.norm.num_batches_tracked == 12
        assert run.weight != run.history[-1]
    assert run.weight == run.history[-1]
    assert abs(average_of(run.history) - run.history[-1]) > 1e-3


def test_a_resumed_run_has_the_same_weights_and_average():
    through, first, resumed = Run().go(8), Run().go(4), Run()
    resumed.history = first.history
    resumed.line.load_state_dict(first.line.state_dict())
    resumed.average.load_state_dict(first.average.state_dict())
    resumed.go(4)
    assert resumed.weight == through.weight
    with resumed.average.in_place(), through.average.in_place():
        assert resumed.weight == through.weight
        assert resumed.line.norm.running_mean.item() == through.line.norm.running_mean.item()


def test_an_interruption_gives_the_weights_back():
    run = Run().go(4)
    with pytest.raises(KeyboardInterrupt), run.average.in_place():
        raise KeyboardInterrupt
    assert run.weight == run.history[-1]


@pytest.mark.parametrize("run", [Run(decay=0.0).go(4), Run()])
def test_without_an_average_nothing_changes(run):
    before = run.weight
    with run.average.in_place():
        assert run.weight == before
    assert run.weight == before


def test_frozen_networks_are_shared_by_copies(guided_checkpoint):
    semantics = FrozenSemantics.from_checkpoint(str(guided_checkpoint))
    assert copy.deepcopy({"semantics": semantics})["semantics"] is semantics
