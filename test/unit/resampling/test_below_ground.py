# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import math

import pytest
import torch

from depth_node.config.resampling import ResamplingConfig
from depth_node.geometry.ground_search import ground_candidates
from depth_node.resampling.below_ground import check_ground

CONFIG = ResamplingConfig()


def check(depth, camera, ground=None, **settings):
    config = dataclasses.replace(CONFIG, **settings)
    return check_ground(depth[None], camera[None], ground, config)


def test_the_plane_of_a_street(street, camera):
    found = check(street(unit=12.0), camera)
    assert found.planes.distances.item() == pytest.approx(1.65 / 12.0, rel=0.01)
    assert found.metres.item() == pytest.approx(12.0, rel=0.01)
    assert found.planes.tilts.item() < 0.2
    assert found.counts.item() == 0
    assert found.geometric.item()


@pytest.mark.parametrize("unit", [0.2, 1.0, 30.0])
@pytest.mark.parametrize("gap", [7.0, 12.0, 20.0])
def test_an_infinite_car_lies_below_ground(street, camera, gap, unit):
    found = check(street(gap, unit=unit), camera)
    height, width = found.below.shape[1:]
    assert found.counts.item() > CONFIG.allowed(height, width)
    # All of it belongs to the car, which is where the road would be without it.
    changed = street(gap) != street()
    assert not (found.below[0] & ~changed[0]).any()


@pytest.mark.parametrize("gap", [7.0, 12.0, 20.0])
def test_a_car_at_its_place_does_not(street, camera, gap):
    assert check(street(gap, infinite=False), camera).counts.item() == 0


def test_the_count_is_that_of_the_formula(street, camera):
    depth = street(12.0)
    rows = torch.arange(depth.shape[1])
    slant = (rows - camera[1, 2]) / camera[1, 1]
    significant = depth[0] * slant[:, None] - 1.65 > CONFIG.margin + CONFIG.slope * depth[0]
    found = check(depth, camera, row_support=0.0)
    assert found.counts.item() == pytest.approx(significant.sum().item(), abs=2)


def test_nothing_above_the_horizon_counts(street, camera):
    depth = street()
    depth[:, :44] = 1e6  # the whole sky is farther than anything
    found = check(depth, camera, slope=0.0, margin=0.0, row_support=0.0)
    assert not found.below[0, :44].any()


@pytest.mark.parametrize("slope", [0.0, 0.02, 0.06])
def test_slopes_move_the_horizon_not_the_verdict(street, camera, slope):
    for sign in (1, -1):
        assert check(street(tilt=sign * slope), camera).counts.item() == 0
        assert check(street(10.0, tilt=sign * slope), camera).counts.item() > 20


def test_a_crest_is_kept(street, camera):
    # From 10 m on nothing of the road is where the plane has it: that is no object standing on it.
    crest = street(falls_off=10.0)
    assert check(crest, camera).counts.item() <= CONFIG.allowed(*crest.shape[1:])
    assert check(crest, camera, row_support=0.0).counts.item() > 100


def test_frames_without_ground_are_not_judged(camera):
    wall = torch.full((1, 96, 320), 10.0)
    found = check(wall, camera)
    assert math.isnan(found.metres.item())
    assert found.counts.item() == 0


def test_labelled_ground_is_fitted_where_there_is_enough(street, camera):
    depth = street()
    # A flat roof of cars fills the lower middle, where geometric candidates lie.
    depth[:, 60:, 80:240] *= 0.6
    ground = torch.ones(1, 96, 320, dtype=torch.bool)
    ground[:, :60] = False
    ground[:, :, 80:240] = False
    labelled, geometric = check(depth, camera, ground), check(depth, camera)
    assert labelled.planes.distances.item() == pytest.approx(1.65, rel=0.03)
    assert geometric.planes.distances.item() == pytest.approx(0.6 * 1.65, rel=0.05)
    assert not labelled.geometric.item()
    assert check(depth, camera, torch.zeros_like(ground)).geometric.item()


def test_candidates_are_the_nearer_part_of_the_region(street):
    config = dataclasses.replace(CONFIG, top=0.5, middle=0.5, nearest=0.5)
    candidates, _ = ground_candidates(street(), None, config)
    rows, columns = torch.where(candidates[0])
    assert (rows.min() > 48, columns.min().item(), columns.max().item()) == (True, 80, 239)
    assert candidates.float().mean().item() == pytest.approx(0.125, abs=0.01)


def test_frames_of_a_batch_do_not_mix(street, camera):
    depths = torch.stack([street(), street(9.0), street(15.0, unit=5.0)])
    together = check_ground(depths, camera.expand(3, 3, 3), None, CONFIG)
    for number, depth in enumerate(depths):
        assert torch.equal(together.below[number], check(depth, camera).below[0])


def test_the_threshold_grows_with_the_picture():
    assert CONFIG.allowed(192, 640) == 10
    assert CONFIG.allowed(96, 320) == 2.5
    assert CONFIG.allowed(384, 1280) == 40
