# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""REP-117: which of NaN, +Inf and -Inf."""

from __future__ import annotations

import math

import torch

from depth_node.inference.tensor_prediction import apply_range


def test_four_cases_and_both_bounds():
    depth = torch.tensor([[0.5, 1.0, 5.0, 10.0, 10.1, 5.0, 99.0, 0.1]])
    valid = torch.tensor([[True, True, True, True, True, False, False, False]])
    ranged = apply_range(depth, valid, 1.0, 10.0)
    assert ranged[0, :5].tolist() == [-math.inf, 1.0, 5.0, 10.0, math.inf]
    assert torch.isnan(ranged[0, 5:]).all()


def test_nan_stays_nan_and_the_input_stays_as_it_was():
    depth = torch.tensor([[math.nan, math.inf, 200.0]])
    ranged = apply_range(depth, torch.ones_like(depth, dtype=torch.bool), 0.1, 80.0)
    assert math.isnan(ranged[0, 0])
    assert ranged[0, 1:].tolist() == [math.inf, math.inf]
    assert depth[0, 2] == 200.0
    assert ranged.dtype == torch.float32
