# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import torch

from depth_node.losses.smoothness import smoothness_loss

FLAT = torch.full((1, 3, 4, 6), 0.5, dtype=torch.float64)


def test_constant_disparity_costs_nothing():
    assert smoothness_loss(torch.full((1, 1, 4, 6), 0.3, dtype=torch.float64), FLAT) == 0


def test_scale_of_disparity_does_not_matter():
    disparity = torch.rand(1, 1, 4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.1
    one, ten = smoothness_loss(disparity, FLAT), smoothness_loss(10 * disparity, FLAT)
    torch.testing.assert_close(one, ten, rtol=1e-5, atol=0)


def test_step_by_hand():
    disparity = torch.ones(1, 1, 4, 6, dtype=torch.float64)
    disparity[..., 3:] = 3.0  # mean 2, so the normalised step is 1, at one of five column borders
    torch.testing.assert_close(
        smoothness_loss(disparity, FLAT), torch.tensor(0.2, dtype=torch.float64), rtol=1e-6, atol=0
    )


def test_an_image_edge_excuses_a_disparity_edge():
    disparity = torch.ones(1, 1, 4, 6, dtype=torch.float64)
    disparity[..., 3:] = 3.0
    edge = torch.zeros(1, 3, 4, 6, dtype=torch.float64)
    edge[..., 3:] = 1.0
    ratio = smoothness_loss(disparity, edge) / smoothness_loss(disparity, FLAT)
    torch.testing.assert_close(ratio, torch.exp(torch.tensor(-1.0, dtype=torch.float64)))
