# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The road's height as a loss: what it measures, what it leaves alone, and that metres come out of a training."""

import math

import pytest
import torch

from depth_node.losses.camera_height import camera_height_loss, road_slants

K = torch.tensor([[[186.0, 0, 159.5], [0, 186.0, 40.0], [0, 0, 1]]])
HEIGHT, WIDTH = 96, 320
UNKNOWN = torch.tensor(math.nan)


def street(pitch=0.0, height=1.5):
    y = (torch.arange(HEIGHT) - 40.0) / 186.0
    slant = math.cos(math.radians(pitch)) * y + math.sin(math.radians(pitch))
    depth = torch.where(slant > 0.02, height / slant.clamp_min(0.02), torch.tensor(40.0)).clamp_max(40.0)
    return depth[None, None, :, None].expand(1, 1, HEIGHT, WIDTH).clone()


def motion(pitch=0.0):
    """To the picture before and the one after, a metre ahead along a road that the camera looks down to by a pitch."""
    ahead = torch.tensor([0.0, -math.sin(math.radians(pitch)), math.cos(math.radians(pitch))])
    transforms = torch.eye(4).repeat(1, 2, 1, 1)
    transforms[0, 0, :3, 3], transforms[0, 1, :3, 3] = ahead, -ahead
    return transforms


@pytest.mark.parametrize("pitch", [0.0, 3.0])
@pytest.mark.parametrize("scale", [0.2, 1.0, 7.0])
def test_the_height_is_that_of_the_road(pitch, scale):
    loss, height = camera_height_loss(scale * street(pitch), K, None, motion(pitch), UNKNOWN)
    assert math.exp(height) == pytest.approx(1.5 * scale, rel=0.01)
    assert loss == pytest.approx(0.0, abs=0.01)


def test_the_loss_is_the_difference_from_the_usual_height():
    loss, _ = camera_height_loss(street(), K, None, motion(), torch.tensor(math.log(3.0)))
    assert loss == pytest.approx(math.log(2.0), abs=0.01)


def test_its_gradient_moves_the_road_and_nothing_else():
    depth = street().requires_grad_()
    loss, _ = camera_height_loss(depth, K, None, motion(), torch.tensor(math.log(3.0)))
    loss.backward()
    assert depth.grad.isfinite().all()
    assert (depth.grad <= 0).all()
    assert (depth.grad[0, 0, :50] == 0).all()
    assert (depth.grad[0, 0, 65:90, 140:180] < 0).all()


def test_what_stands_on_the_road_does_not_count():
    depth = street()
    depth[..., 50:80, 120:170] = 6.0
    _, height = camera_height_loss(depth, K, None, motion(), UNKNOWN)
    assert math.exp(height) == pytest.approx(1.5, rel=0.01)


def test_labels_say_where_the_road_is():
    depth, ground = street(), torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool)
    ground[:, 60:, 20:60] = True
    depth[..., 60:, 60:] = 2.0
    _, height = camera_height_loss(depth, K, ground, motion(), UNKNOWN)
    assert math.exp(height) == pytest.approx(1.5, rel=0.01)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_without_a_road_there_is_no_loss_and_no_height(value):
    depth = torch.full((1, 1, HEIGHT, WIDTH), value).requires_grad_()
    loss, height = camera_height_loss(depth, K, torch.zeros(1, HEIGHT, WIDTH, dtype=torch.bool), motion(), UNKNOWN)
    loss.backward()
    assert loss == 0.0 or value == math.inf
    assert height.isnan() or value == math.inf


def test_a_camera_that_stands_is_taken_for_level():
    still = torch.eye(4).repeat(1, 2, 1, 1)
    slants = road_slants(K, still, HEIGHT, WIDTH)
    torch.testing.assert_close(slants[0, :, 100], (torch.arange(HEIGHT) - 40.0) / 186.0, atol=1e-5, rtol=0)
