# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from depth_node.geometry.disparity import depth_to_disparity, disparity_to_depth


def test_bounds_and_the_papers_numbers():
    depth = disparity_to_depth(torch.tensor([0.0, 1.0, 0.5]), 0.1, 100.0)
    torch.testing.assert_close(depth, torch.tensor([100.0, 0.1, 1 / (0.01 + 9.99 * 0.5)]))


def test_infinite_range_is_packnets_sigmoid_over_min_depth():
    depth = disparity_to_depth(torch.tensor([1.0, 0.25, 0.0]), 0.5, math.inf)
    torch.testing.assert_close(depth, torch.tensor([0.5, 2.0, 1e6]))


@pytest.mark.parametrize("max_depth", [80.0, math.inf])
def test_round_trip(max_depth):
    disparity = torch.linspace(0.01, 1, 50, dtype=torch.float64)
    depth = disparity_to_depth(disparity, 0.1, max_depth)
    torch.testing.assert_close(depth_to_disparity(depth, 0.1, max_depth), disparity)
