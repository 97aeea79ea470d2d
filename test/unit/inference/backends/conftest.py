# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Back ends that are quick: a runtime whose networks are PyTorch's with a push, and a cache of its own."""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch

from depth_node.config.network import SCALES
from depth_node.inference.backends import opener
from depth_node.inference.backends.interface import Backend, GraphBackend, Outputs
from depth_node.inference.backends.trial_pictures import trial_pictures


class Pushed(Backend):
    """Another back end with a factor on its disparities."""

    def __init__(self, other, factor, name="pushed"):
        self.other, self.factor, self.name = other, factor, name
        self.info, self.classes, self.device, self.precision = other.info, other.classes, other.device, "fp32"
        self.runs = 0

    def run(self, batch, scales, wants_logits, clock=None):
        self.runs += 1
        found = self.other.run(batch, scales, wants_logits)
        return Outputs([self.factor * disparity for disparity in found.disparities], found.logits)


class Runtime:
    """What a runtime's module is to the package; its compiled form is the disparities of all pictures it will see.

    Attributes:
        made: arithmetics of the networks it was asked to compile.
    """

    answers: ClassVar[list] = []

    def __init__(self, name, missing=(), factors=None):
        self.NAME, self.made, self._missing = name, [], list(missing)
        self._factors = factors or {"fp32": 1.0}

    def missing(self):
        return self._missing

    def precisions(self):
        return list(self._factors)

    def convert(self, program, outputs):
        return program

    def make(self, converted, precision):
        self.made.append(precision)
        return f"{self.NAME} network".encode()

    def load(self, data, info, precision):
        assert data == f"{self.NAME} network".encode()
        factor = self._factors[precision]
        if factor is None:
            raise RuntimeError("no such instruction\nand much more")
        known = self.answers

        def compute(image):
            near = min(known, key=lambda pair: float((pair[0] - torch.from_numpy(image)).abs().sum()))
            return [factor * disparity.numpy() for disparity in near[1]]

        return GraphBackend(self.NAME, info, precision, compute)


@pytest.fixture
def runtimes(monkeypatch, tmp_path, small_checkpoint):
    """A function that puts runtimes in place of the real ones; nothing is traced."""
    monkeypatch.setenv("DEPTH_NODE_CACHE", str(tmp_path / "cache"))
    exact = opener.Opener(small_checkpoint, "cpu", "fp32", print).exact
    pictures = [*trial_pictures(64, 128), torch.full((1, 3, 64, 128), 127 / 255)]
    monkeypatch.setattr(Runtime, "answers", [(p, exact.run(p, SCALES, True).disparities) for p in pictures])
    monkeypatch.setattr(opener.Opener, "_traced", (SimpleNamespace(), ()))

    def install(*made):
        opener.KINDS.clear()
        opener.KINDS.update({runtime.NAME: runtime for runtime in made})
        return made

    before = dict(opener.KINDS)
    yield install
    opener.KINDS.clear()
    opener.KINDS.update(before)


@pytest.fixture
def runtime():
    """The class of such a runtime."""
    return Runtime


@pytest.fixture
def pushed():
    """The class of such a back end."""
    return Pushed
