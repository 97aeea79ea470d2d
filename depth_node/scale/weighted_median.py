# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The median of values that count differently."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def weighted_median(values: NDArray[np.floating], weights: NDArray[np.floating]) -> float:
    """The value below and above which lies half of the weight; of (N,) values and weights, N at least 1."""
    order = np.argsort(values)
    half = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return float(values[order][min(int(half), len(values) - 1)])
