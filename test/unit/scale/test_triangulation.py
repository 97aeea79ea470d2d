# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0

import math
from dataclasses import replace

import numpy as np
import pytest

from depth_node.scale.depth_frame import NoReading
from depth_node.scale.triangulation import scale_of_way

UNIT = 12.0


def way(ahead, turn=0.0):
    transform = np.eye(4)
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    transform[:3, :3] = [[1, 0, 0], [0, c, -s], [0, s, c]]
    transform[2, 3] = -ahead
    return transform


@pytest.mark.parametrize("turn", [0.0, 0.5])
def test_a_known_way_gives_the_unit_of_depth(world, turn):
    # Half a degree of error in odometry's rotation is taken out.
    reading = scale_of_way(world.frame(), world.frame(1.0), way(1.0, turn))
    assert math.exp(reading.log_scale) == pytest.approx(UNIT, rel=0.03)


def test_standing_still_waits(world):
    with pytest.raises(NoReading, match="stands still") as nothing:
        scale_of_way(world.frame(), world.frame(), way(0.01))
    assert nothing.value.is_waiting


@pytest.mark.parametrize("length", [50.0, math.nan, math.inf])
def test_odometry_that_jumps_is_refused(world, length):
    with pytest.raises(NoReading, match="jumps"):
        scale_of_way(world.frame(), world.frame(1.0), way(length))


def test_odometry_of_another_way_is_refused(world):
    sideways = np.eye(4)
    sideways[1, 3] = 1.0
    with pytest.raises(NoReading, match=r"disagree|corners"):
        scale_of_way(world.frame(), world.frame(1.5), sideways)


def test_a_blank_picture_says_nothing(world):
    blank = replace(world.frame(), gray=np.full((96, 320), 90, np.uint8))
    with pytest.raises(NoReading, match="0 corners"):
        scale_of_way(blank, blank, way(1.0))
