# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The yardsticks: depth that is right finds the same brightness again, other depth does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from depth_node.improvement.comparison import pairs_of, photometric
from depth_node.scale.flicker import motion_between


def test_right_depth_explains_the_next_picture_better_than_wrong_depth(world):
    first, second = world.frame(0.0), world.frame(0.8)
    right = photometric(first, second, motion_between(first, second))
    nothing = float(np.abs(first.gray.astype(float) - second.gray).mean() / 255)
    assert right < 0.6 * nothing
    flat = replace(first, depth=np.full_like(first.depth, np.nanmedian(first.depth)))
    wrong = photometric(flat, second, motion_between(flat, replace(second, depth=flat.depth)))
    assert wrong > 1.2 * right
    # The unit is not known, and does not matter.
    doubled = first.times(2.0)
    assert photometric(doubled, second, motion_between(doubled, second)) == pytest.approx(right, rel=0.02)


def test_sky_is_looked_up_at_infinity_and_every_pixel_counts(world):
    first = world.frame(0.0)
    sky = replace(first, depth=np.full_like(first.depth, np.inf))
    assert photometric(sky, first, np.eye(4)) < 0.002
    forward = np.eye(4)
    forward[2, 3] = -5.0
    assert photometric(sky, first, forward) < 0.002  # at infinity nothing moves
    assert np.isfinite(photometric(first, first, forward))


def test_pairs_are_pictures_in_a_row_evenly_from_all():
    targets = [("a", 3), ("a", 4), ("a", 6), ("b", 0), ("b", 1), ("b", 2)]
    assert pairs_of(targets, 10) == [("a", 3, 4), ("b", 0, 1), ("b", 1, 2)]
    assert pairs_of(targets, 2) == [("a", 3, 4), ("b", 1, 2)]
    assert pairs_of([("a", 1), ("a", 5)], 4) == []
