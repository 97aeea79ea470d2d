"""Training and validation stretches share no picture."""

from __future__ import annotations

import pytest

from depth_node.data.split import split_stretch


@pytest.mark.parametrize("context", [1, 2])
@pytest.mark.parametrize("frames", [0, 1, 2, 3, 6, 10, 60, 1000])
@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.9])
def test_no_picture_is_in_both(frames, fraction, context):
    train, val = split_stretch(frames, fraction, context)
    pictures = [{t + o for t in part for o in range(-context, context + 1)} for part in (train, val)]
    assert not pictures[0] & pictures[1]
    assert (pictures[0] | pictures[1]) <= set(range(frames))
    assert not len(val) or (train and max(train) < min(val) and max(val) == frames - 1 - context)


def test_share_and_small_drives():
    train, val = split_stretch(60, 0.1, 1)
    assert (train[0], train[-1], val[0], val[-1]) == (1, 50, 53, 58)
    assert split_stretch(5, 0.1, 1) == (range(1, 4), range(0))  # too short for both: all is training
    assert split_stretch(60, 0.0, 1) == (range(1, 59), range(0))
