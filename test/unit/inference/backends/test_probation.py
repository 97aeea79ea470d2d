# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A compiled network beside PyTorch for its first pictures."""

from __future__ import annotations

import pytest
import torch

from depth_node.inference.backends.opener import Opener
from depth_node.inference.backends.probation import PICTURES, OnProbation
from depth_node.inference.backends.trial_pictures import trial_pictures

PICTURE = trial_pictures(64, 128)[0]


@pytest.fixture
def exact(small_checkpoint):
    return Opener(small_checkpoint, "cpu", "fp32", print).exact


def test_one_that_agrees_runs_alone_after_some_pictures(exact, pushed):
    verdicts, reference = [], pushed(exact, 1.0, "torch")
    backend = OnProbation(pushed(exact, 1.0001), reference, verdicts.append)
    for _ in range(PICTURES + 2):
        found = backend.run(PICTURE, 1, True)
    assert reference.runs == PICTURES
    assert len(verdicts) == 1
    assert 0 < verdicts[0].depth < 0.0005
    assert str(backend) == "pushed fp32"
    assert torch.equal(found.disparities[0], 1.0001 * exact.run(PICTURE, 1, True).disparities[0])


def test_one_that_drifts_never_shows(exact, pushed):
    verdicts, trial = [], pushed(exact, 1.1)
    backend = OnProbation(trial, pushed(exact, 1.0, "torch"), verdicts.append)
    expected = exact.run(PICTURE, 1, True).disparities[0]
    for _ in range(3):
        assert torch.equal(backend.run(PICTURE, 1, True).disparities[0], expected)
    assert trial.runs == len(verdicts) == 1
    assert not verdicts[0].passes
    assert backend.name == "torch"


def test_a_warm_up_is_no_trial(exact, pushed):
    reference = pushed(exact, 1.0, "torch")
    backend = OnProbation(pushed(exact, 1.1), reference, pytest.fail)
    backend.run(torch.full_like(PICTURE, 0.5), 1, True)
    assert reference.runs == 0
