# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of older recordings among those of the new one, so that what was learnt is not forgotten."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np

from depth_node.datasets.triplets import TripletDataset


def with_replay(new: TripletDataset, older: Sequence[TripletDataset], share: float, seed: int) -> TripletDataset:
    """The new triplets and so many of the older ones that these make up a share of all.

    Args:
        new: triplets of the new recording.
        older: triplets of older ones, of the same size.
        share: of the older ones in the result; fewer where there are not so many.
        seed: decides which.
    """
    pool = [target for dataset in older for target in dataset.targets]
    count = min(len(pool), round(len(new) * share / (1 - share)))
    chosen = sorted(np.random.default_rng(seed).permutation(len(pool))[:count].tolist())
    mixed = copy.copy(new)
    mixed.targets = [*new.targets, *(pool[index] for index in chosen)]
    return mixed
