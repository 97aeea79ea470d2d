# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Scale from the camera's height, and the road's direction from where the camera drives."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from depth_node.scale.depth_frame import NoReading
from depth_node.scale.road_height import scale_of_height
from depth_node.scale.road_normal import LEAST, RoadNormal, direction_of_way

UNIT, CAMERA_HEIGHT = 12.0, 1.5


def normal_at(pitch):
    return np.array([0.0, math.cos(math.radians(pitch)), math.sin(math.radians(pitch))])


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("pitch", [0.0, 4.0])
def test_the_height_gives_the_unit_of_depth(world, labels, pitch):
    frame = world.frame(pitch=pitch)
    frame = frame if labels else replace(frame, ground=None)
    for normal in (None, normal_at(pitch)):
        scale = math.exp(scale_of_height(CAMERA_HEIGHT, frame, normal).log_scale)
        assert scale == pytest.approx(UNIT, rel=0.02)


def test_a_known_tilt_resists_a_road_that_the_network_bends(world):
    frame = world.frame()
    bent = frame.depth * np.clip((UNIT * frame.depth / 8.0) ** -0.2, 0.5, 1.2).astype(np.float32)
    bent_frame = replace(frame, depth=np.where(frame.ground, bent, frame.depth))
    free = math.exp(scale_of_height(CAMERA_HEIGHT, bent_frame).log_scale) / UNIT
    known = math.exp(scale_of_height(CAMERA_HEIGHT, bent_frame, normal_at(0)).log_scale) / UNIT
    assert abs(known - 1) < 0.05 < abs(free - 1)


def test_without_a_road_there_is_no_reading(world):
    frame = world.frame()
    for nothing in (np.nan, np.inf, 0.0):
        with pytest.raises(NoReading):
            scale_of_height(1.5, replace(frame, depth=np.full_like(frame.depth, nothing)), normal_at(0))
    with pytest.raises(NoReading, match="no road"):
        scale_of_height(1.5, replace(frame, depth=np.full_like(frame.depth, np.nan)))


@pytest.mark.parametrize("pitch", [0.0, 5.0])
@pytest.mark.parametrize("backwards", [False, True])
def test_the_way_driven_tells_the_tilt(world, pitch, backwards):
    road = RoadNormal()
    assert road.normal is None
    places = [0.8 * number for number in range(LEAST + 8)]
    frames = [world.frame(ahead, pitch) for ahead in (reversed(places) if backwards else places)]
    for first, second in pairwise(frames):
        road.learn(first, second)
    angle = math.degrees(math.acos(min(1.0, float(road.normal @ normal_at(pitch)))))
    assert angle < 1.0


def test_standing_still_tells_nothing(world):
    with pytest.raises(NoReading) as nothing:
        direction_of_way(world.frame(), world.frame())
    assert nothing.value.is_waiting
