# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import torch

from depth_node.losses.reprojection import minimum_reprojection


def test_each_pixel_takes_its_best_source():
    warped = torch.tensor([[[[0.1, 0.9]], [[0.5, 0.2]]]])
    result = minimum_reprojection(warped, None)
    torch.testing.assert_close(result.error, torch.tensor([[[[0.1, 0.2]]]]))
    assert result.moving.all()


def test_pixels_that_match_without_motion_are_masked_and_give_no_gradient():
    warped = torch.tensor([[[[0.1, 0.9]]]], requires_grad=True)
    result = minimum_reprojection(warped, torch.full((1, 1, 1, 2), 0.4))
    assert result.moving.tolist() == [[[[True, False]]]]
    result.error.sum().backward()
    assert warped.grad.tolist() == [[[[1.0, 0.0]]]]


def test_the_mean_over_sources_on_request():
    warped = torch.tensor([[[[0.1, 0.9]], [[0.5, 0.2]]]])
    result = minimum_reprojection(warped, torch.tensor([[[[0.2, 0.9]], [[0.2, 0.9]]]]), minimum=False)
    torch.testing.assert_close(result.error, torch.tensor([[[[0.2, 0.55]]]]))
    assert result.moving.tolist() == [[[[False, True]]]]
