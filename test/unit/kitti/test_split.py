# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Training and validation stretches share no picture."""

from __future__ import annotations

import pytest

from depth_node.kitti.split import split_drive, split_stretch


@pytest.mark.parametrize("context", [1, 2])
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 6, 10, 60, 1000])
@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.9])
def test_no_picture_is_in_both(frames, fraction, context):
    train, val = split_stretch(frames, fraction, context)
    pictures = [{t + o for t in part for o in range(-context, context + 1)} for part in (train, val)]
    assert not pictures[0] & pictures[1]
    assert (pictures[0] | pictures[1]) <= set(range(frames))
    targets = max(frames - 2 * context, 0)
    wanted = max(round(fraction * targets), 1) if fraction else 0
    if targets < wanted + 2 * context + 1:  # too short for both
        wanted = 0
    assert list(val) == list(range(frames - context - wanted, frames - context))
    assert list(train) == list(range(context, context + targets - wanted - (2 * context if wanted else 0)))


def test_share_and_small_drives():
    train, val = split_stretch(60, 0.1, 1)
    assert (train[0], train[-1], val[0], val[-1]) == (1, 50, 53, 58)
    assert split_stretch(5, 0.1, 1) == (range(1, 4), range(0))  # too short for both: all is training
    assert split_stretch(60, 0.0, 1) == (range(1, 59), range(0))


@pytest.mark.parametrize("context", [1, 3])
@pytest.mark.parametrize(("fraction", "places"), [(0.05, {1: 7, 3: 7}), (0.3, {1: 7, 3: 7}), (0.9, {1: 3, 3: 1})])
def test_drawn_places_share_no_picture_either(fraction, context, places):
    starts = set()
    for seed in range(1, 13):
        for frames in (*range(0, 120, 7), 333, 1500):
            train, val = split_drive(frames, fraction, context, (seed, 100 * seed))
            pictures = [{t + o for t in part for o in range(-context, context + 1)} for part in (train, val)]
            assert not pictures[0] & pictures[1], (seed, frames)
            assert (pictures[0] | pictures[1]) <= set(range(frames))
            assert list(val) == sorted(set(val)), "no target twice"
            assert bool(train) == (frames > 2 * context)
        starts.add(val[0])
        assert len(val) == pytest.approx(fraction * 1500, rel=0.05)
    # Where nearly all is for validation there is little room to draw.
    assert len(starts) >= places[context]


def test_the_same_key_draws_the_same_places():
    first, second = (split_drive(400, 0.1, 1, (seed, 5)) for seed in (7, 8))
    assert split_drive(400, 0.1, 1, (7, 5)) == first != second
    assert split_drive(400, 0.1, 1, (7, 6)) != first
    assert split_drive(400, 0.1, 1, (0, 5)) == split_stretch(400, 0.1, 1)
