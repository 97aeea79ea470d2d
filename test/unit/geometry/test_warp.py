# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from depth_node.geometry.pose import transform_from_axis_angle
from depth_node.geometry.warp import backproject, project, sample, source_pixels, warp_image

HEIGHT, WIDTH = 24, 40
K = torch.tensor([[[30.0, 0.0, 19.0], [0.0, 32.0, 11.0], [0.0, 0.0, 1.0]]], dtype=torch.float64)
GENERATOR = torch.Generator().manual_seed(3)
DEPTH = 2 + 8 * torch.rand(1, 1, HEIGHT, WIDTH, generator=GENERATOR, dtype=torch.float64)
T = transform_from_axis_angle(
    torch.tensor([[0.02, -0.05, 0.01]], dtype=torch.float64), torch.tensor([[0.3, -0.1, 0.4]], dtype=torch.float64)
)


def test_backprojection_by_hand():
    point = backproject(torch.full((1, 1, HEIGHT, WIDTH), 6.0, dtype=torch.float64), K)[0, :, 3, 4]
    expected = torch.tensor([(4 - 19) / 30 * 6, (3 - 11) / 32 * 6, 6.0], dtype=torch.float64)
    torch.testing.assert_close(point, expected)


def test_projection_undoes_backprojection():
    pixels = project(backproject(DEPTH, K), K)
    v, u = torch.meshgrid(torch.arange(HEIGHT), torch.arange(WIDTH), indexing="ij")
    torch.testing.assert_close(pixels[0], torch.stack([u, v]).double())


def test_folded_projection_equals_the_three_steps():
    points = backproject(DEPTH, K).flatten(2)
    moved = T[:, :3, :3] @ points + T[:, :3, 3:]
    expected = project(moved.reshape(1, 3, HEIGHT, WIDTH), K)
    torch.testing.assert_close(source_pixels(DEPTH, K, T), expected)


def test_points_behind_the_camera_stay_finite():
    back = torch.eye(4, dtype=torch.float64)[None].clone()
    back[0, 2, 3] = -100.0
    assert torch.isfinite(source_pixels(DEPTH, K, back)).all()


def test_sampling_at_pixel_centres_returns_the_image():
    image = torch.rand(1, 3, HEIGHT, WIDTH, generator=GENERATOR, dtype=torch.float64)
    torch.testing.assert_close(warp_image(image, DEPTH, K, torch.eye(4, dtype=torch.float64)[None]), image)


@pytest.mark.parametrize(("padding", "expected"), [("border", 5.0), ("zeros", 0.0)])
def test_padding_outside_the_image(padding, expected):
    pixels = torch.full((1, 2, 1, 1), -20.0)
    assert sample(torch.full((1, 1, 4, 4), 5.0), pixels, padding).item() == expected


def test_true_depth_and_motion_reproduce_a_smooth_scene():
    # A plane at depth 5, coloured by a smooth function of its own coordinates, seen from two places.
    def colour(points):
        return (torch.sin(points[:, :1]) + torch.cos(1.3 * points[:, 1:2])) * 0.5

    depth = torch.full((1, 1, HEIGHT, WIDTH), 5.0, dtype=torch.float64)
    points = backproject(depth, K)
    shift = torch.eye(4, dtype=torch.float64)[None].clone()
    shift[0, 0, 3] = -0.4  # the source camera stands 0.4 to the right
    source = colour(points + torch.tensor([0.4, 0.0, 0.0], dtype=torch.float64).reshape(1, 3, 1, 1))
    error = (warp_image(source, depth, K, shift) - colour(points)).abs()
    assert error[..., 4:].max() < 0.01
    assert (source - colour(points)).abs()[..., 4:].max() > 0.1


def test_gradient_to_depth_and_motion():
    # Depth is kept smooth and pixels off the grid lines, where bilinear sampling has a kink.
    image = torch.rand(1, 1, 6, 8, generator=GENERATOR, dtype=torch.float64)
    depth = (4 + torch.rand(1, 1, 4, 5, generator=GENERATOR, dtype=torch.float64)).requires_grad_()
    vector = torch.tensor([[0.011, 0.02, -0.013]], dtype=torch.float64, requires_grad=True)
    shift = torch.tensor([[0.113, 0.071, 0.052]], dtype=torch.float64, requires_grad=True)
    camera = torch.tensor([[[5.0, 0.0, 2.0], [0.0, 5.0, 1.5], [0.0, 0.0, 1.0]]], dtype=torch.float64)

    def warp(d, a, t):
        return sample(image, source_pixels(d, camera, transform_from_axis_angle(a, t)))

    assert torch.autograd.gradcheck(warp, (depth, vector, shift), eps=1e-7, atol=1e-4)
