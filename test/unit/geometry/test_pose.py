# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from depth_node.geometry.pose import invert_transform, transform_from_axis_angle, transform_from_euler

QUARTER = math.pi / 2


def test_quarter_turn_about_y_sends_z_to_x():
    T = transform_from_axis_angle(torch.tensor([0.0, QUARTER, 0.0]), torch.tensor([1.0, 2.0, 3.0]))
    moved = T @ torch.tensor([0.0, 0.0, 1.0, 1.0])
    torch.testing.assert_close(moved, torch.tensor([2.0, 2.0, 3.0, 1.0]), atol=1e-6, rtol=0)


def test_axis_angle_is_the_matrix_exponential_of_its_skew_matrix():
    vectors = torch.randn(20, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([torch.stack(r, -1) for r in ((zero, -z, y), (z, zero, -x), (-y, x, zero))], -2)
    T = transform_from_axis_angle(vectors, torch.zeros_like(vectors))
    torch.testing.assert_close(T[:, :3, :3], torch.linalg.matrix_exp(skew), atol=1e-12, rtol=0)


def test_no_rotation_is_the_identity_and_has_a_finite_gradient():
    vector = torch.zeros(3, requires_grad=True)
    T = transform_from_axis_angle(vector, torch.zeros(3))
    torch.testing.assert_close(T, torch.eye(4))
    T[0, 1].backward()
    torch.testing.assert_close(vector.grad, torch.tensor([0.0, 0.0, -1.0]))


@pytest.mark.parametrize("size", [1e-6, 1e-4, 1e-3, 1e-2])
def test_small_angles_join_large_ones_smoothly(size):
    vector = torch.tensor([size, -size, 0.5 * size], dtype=torch.float64)
    T = transform_from_axis_angle(vector, torch.zeros(3, dtype=torch.float64))[:3, :3]
    torch.testing.assert_close(T @ T.T, torch.eye(3, dtype=torch.float64), atol=1e-12, rtol=0)


def test_euler_angles_compose_as_rx_ry_rz():
    angles = torch.tensor([0.3, -0.5, 1.1], dtype=torch.float64)
    zero = torch.zeros(3, dtype=torch.float64)
    single = [transform_from_axis_angle(angles * torch.eye(3, dtype=torch.float64)[i], zero) for i in range(3)]
    torch.testing.assert_close(transform_from_euler(angles, zero), single[0] @ single[1] @ single[2])


def test_inverse_undoes_a_batch():
    generator = torch.Generator().manual_seed(1)
    T = transform_from_axis_angle(torch.randn(2, 5, 3, generator=generator), torch.randn(2, 5, 3, generator=generator))
    torch.testing.assert_close(invert_transform(T) @ T, torch.eye(4).expand(2, 5, 4, 4), atol=1e-5, rtol=0)
