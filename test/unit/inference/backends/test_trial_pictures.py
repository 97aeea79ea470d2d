# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Drawn pictures."""

from __future__ import annotations

import torch

from depth_node.inference.backends.trial_pictures import has_contrast, trial_pictures


def test_they_differ_are_in_range_and_always_the_same():
    pictures = trial_pictures(64, 128)
    assert all(picture.shape == (1, 3, 64, 128) for picture in pictures)
    assert all(0 <= picture.min() < 0.2 < 0.8 < picture.max() <= 1 for picture in pictures)
    assert not torch.equal(pictures[0], pictures[1])
    trial_pictures.cache_clear()
    assert torch.equal(trial_pictures(64, 128)[0], pictures[0])


def test_a_closed_lens_shows_nothing():
    assert has_contrast(trial_pictures(64, 128)[0])
    assert not has_contrast(torch.full((1, 3, 64, 128), 0.5))
    assert not has_contrast(0.004 * torch.rand(1, 3, 64, 128))
