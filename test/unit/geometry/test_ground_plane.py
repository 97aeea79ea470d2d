# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import math

import pytest
import torch

from depth_node.geometry.ground_plane import GroundPlanes, fit_ground_planes

GENERATOR = torch.Generator().manual_seed(5)


def normal_of(tilt=0.0, roll=0.0):
    """Unit normal of a plane that falls away ahead by `tilt` degrees and to the right by `roll`."""
    x, z = math.tan(math.radians(roll)), math.tan(math.radians(tilt))
    return torch.nn.functional.normalize(torch.tensor([x, 1.0, z], dtype=torch.float64), dim=0)


def on_plane(normal, distance, count=500, noise=0.0):
    """Points (count, 3) before the camera, on rays that fall, with relative noise of depth."""
    u = torch.rand(count, generator=GENERATOR, dtype=torch.float64) - 0.5
    v = 0.1 + 0.4 * torch.rand(count, generator=GENERATOR, dtype=torch.float64)
    rays = torch.stack([u, v, torch.ones_like(u)], -1)
    depth = distance / (rays @ normal)
    depth *= 1 + noise * torch.randn(count, generator=GENERATOR, dtype=torch.float64)
    return rays * depth[:, None]


def fit(points, candidates=None, **settings):
    return fit_ground_planes(
        points, torch.ones(points.shape[:2], dtype=torch.bool) if candidates is None else candidates, **settings
    )


@pytest.mark.parametrize(("tilt", "roll", "distance"), [(0, 0, 1.65), (5, -3, 0.02), (-8, 4, 40.0)])
def test_a_known_plane_is_found_whatever_the_unit(tilt, roll, distance):
    normal = normal_of(tilt, roll)
    planes = fit(on_plane(normal, distance)[None])
    torch.testing.assert_close(planes.normals[0], normal)
    assert planes.distances.item() == pytest.approx(distance)
    assert planes.inliers.item() == 1.0
    assert planes.tilts.item() == pytest.approx(math.degrees(math.acos(normal[1])))


def test_outliers_and_noise_do_not_move_it():
    # Half of the points are something else: a wall ahead, and depth without bounds.
    ground = on_plane(normal_of(2.0), 1.65, noise=0.01)
    wall = on_plane(torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64), 9.0, count=250)
    infinite = on_plane(normal_of(2.0), 60.0, count=250)
    planes = fit(torch.cat([ground, wall, infinite])[None], tolerance=0.04)
    angle = torch.rad2deg(torch.acos((planes.normals[0] @ normal_of(2.0)).clamp(max=1.0)))
    assert angle.item() < 0.2
    assert planes.distances.item() == pytest.approx(1.65, rel=0.005)
    assert planes.inliers.item() == pytest.approx(0.5, abs=0.08)


def test_a_cloud_is_fitted_alike_alone_and_in_a_batch():
    clouds = torch.stack([on_plane(normal_of(tilt), 1.65, noise=0.02) for tilt in (0.0, 4.0, 8.0)])
    together, alone = fit(clouds), fit(clouds[1:2])
    # A batched matrix product may add in another order than one alone: some roundings of unit vectors in double.
    torch.testing.assert_close(together.normals[1], alone.normals[0], rtol=0, atol=1e-13)
    assert torch.equal(fit(clouds, seed=0).normals, together.normals)


def test_only_candidates_vote():
    ground, wall = on_plane(normal_of(1.0), 1.65, count=100), on_plane(normal_of(10.0), 9.0, count=900)
    points = torch.cat([ground, wall])[None]
    planes = fit(points, (torch.arange(1000) < 100)[None])
    assert planes.distances.item() == pytest.approx(1.65)
    assert fit(points).distances.item() == pytest.approx(9.0)


def test_steep_planes_are_no_ground():
    steep = on_plane(normal_of(20.0), 1.65)[None]
    assert not fit(steep, max_tilt=15.0).found
    assert fit(steep, max_tilt=25.0).found
    wall = on_plane(torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64), 9.0)[None]
    assert not fit(wall).found


def test_a_ceiling_is_no_ground():
    points = on_plane(normal_of(0.0), 1.65)
    points[:, 1] *= -1.0
    assert not fit(points[None]).found


@pytest.mark.parametrize(
    "points",
    [
        torch.zeros(1, 50, 3),
        torch.full((1, 50, 3), torch.nan),
        torch.full((1, 50, 3), torch.inf),
        torch.ones(1, 2, 3),
        torch.linspace(1, 2, 50)[None, :, None] * torch.tensor([0.1, 1.0, 3.0]),  # a line through the camera
        torch.linspace(1, 2, 50)[None, :, None] * torch.tensor([1.0, 0.0, 0.0]) + torch.tensor([0.0, 1.0, 5.0]),
    ],
)
def test_what_spans_no_plane_gives_none(points):
    planes = fit(points)
    assert not planes.found.any()
    assert torch.isnan(planes.normals).all()
    assert planes.inliers.item() == 0.0


def test_no_candidates_give_none_and_leave_the_others_alone():
    points = torch.stack([on_plane(normal_of(), 1.65)] * 2)
    candidates = torch.zeros(2, 500, dtype=torch.bool)
    candidates[1] = True
    assert fit(points, candidates).found.tolist() == [False, True]


def test_too_few_inliers_give_none():
    scattered = torch.rand(1, 500, 3, generator=GENERATOR) * 20 + 1
    assert not fit(scattered, tolerance=0.01, min_inliers=0.5).found


def test_points_that_are_not_finite_are_passed_over():
    points = on_plane(normal_of(3.0), 1.65)
    points[::3] = torch.inf
    points[1::3] = torch.nan
    torch.testing.assert_close(fit(points[None]).normals[0], normal_of(3.0))


def test_slants_by_hand():
    K = torch.tensor([[[100.0, 0, 10], [0, 50, 4], [0, 0, 1]]], dtype=torch.float64)
    normal = normal_of(0.0)[None]
    slants = GroundPlanes(normal, torch.tensor([1.65]), torch.tensor([1.0])).slants(K, 9, 21)
    assert slants.shape == (1, 9, 21)
    assert slants[0, 4].abs().max() == 0  # the horizon of a level camera is the row of its centre
    assert slants[0, 8, 3].item() == pytest.approx((8 - 4) / 50)
    assert (slants[0, :4] < 0).all()
