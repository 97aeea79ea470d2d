# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far two sets of outputs are apart."""

from __future__ import annotations

import math

import torch

from depth_node.config.network import NetworkConfig
from depth_node.inference.backends.drift import Drift, drift_between
from depth_node.inference.backends.interface import Outputs

NETWORK = NetworkConfig(min_depth=0.1, max_depth=100.0)


def disparity(depth):
    """(1, 1, 1, n) disparity of depths in metres."""
    return ((1 / torch.tensor(depth)[None, None, None] - 0.01) / 9.99).double()


def test_depth_is_compared_relatively():
    found, exact = Outputs([disparity([1.01, 20.0])]), Outputs([disparity([1.0, 20.0])])
    drift = drift_between(found, exact, NETWORK)
    assert math.isclose(drift.depth, 0.005, rel_tol=1e-3)
    assert drift.classes == 0
    assert Drift(0.004).passes
    assert not Drift(0.006).passes


def test_classes_are_counted():
    scores = torch.eye(4)[None, :, None]  # each of four pixels another class
    other = scores.clone()
    other[0, :, 0, 0] = torch.tensor([0.0, 0, 0, 9])
    same = [disparity([5.0])]
    assert drift_between(Outputs(same, other), Outputs(same, scores), NETWORK).classes == 0.25
    assert not Drift(0.0, 0.25).passes
    assert "25 % of the classes others" in str(Drift(0.0, 0.25))


def test_the_worst_counts_and_what_is_no_number_is_worse_than_all():
    worst = Drift(0.1, 0.0).worst(Drift(0.0, 0.2)).worst(Drift(0.05, 0.1))
    assert worst == Drift(0.1, 0.2)
    for pair in ((Drift(math.nan), Drift(0.1)), (Drift(0.1), Drift(math.nan))):
        assert math.isnan(pair[0].worst(pair[1]).depth)
        assert not pair[0].worst(pair[1]).passes
