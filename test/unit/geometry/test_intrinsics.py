# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import torch

from depth_node.geometry.intrinsics import flip_intrinsics, inverse_intrinsics, scale_intrinsics

K = torch.tensor([[700.0, 0.0, 609.5], [0.0, 710.0, 172.8], [0.0, 0.0, 1.0]])


def test_scaling_keeps_the_ray_through_a_picture_corner():
    # The left border of the picture lies at -0.5 whatever the size: its ray must not change.
    scaled = scale_intrinsics(K, 0.5, 0.25)
    for axis in (0, 1):
        before = (-0.5 - K[axis, 2]) / K[axis, axis]
        after = (-0.5 - scaled[axis, 2]) / scaled[axis, axis]
        torch.testing.assert_close(after, before)


def test_scaling_by_one_changes_nothing():
    torch.testing.assert_close(scale_intrinsics(K, 1.0, 1.0), K)


def test_flipping_twice_changes_nothing_and_keeps_the_mirrored_pixel():
    flipped = flip_intrinsics(K, 1242)
    torch.testing.assert_close(flip_intrinsics(flipped, 1242), K)
    assert flipped[0, 2] == 1241 - 609.5


def test_closed_form_inverse():
    torch.testing.assert_close(inverse_intrinsics(K), torch.linalg.inv(K))
