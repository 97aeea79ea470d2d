# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Timing several ways of doing the same: in turns, so that what else the machine does meets all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any


def race(calls: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Seconds of each call in each round.

    Args:
        calls: by name. In every round each is called twice in a row, of which the second counts: the first brings its
            weights back into the processor's caches.
        rounds: how often.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            call()
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return seconds
