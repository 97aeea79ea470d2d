# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How many threads a compiled network gets."""

from __future__ import annotations

import os

VARIABLE = "OMP_NUM_THREADS"


def thread_count() -> int:
    """OMP_NUM_THREADS, which PyTorch takes too, or the number of cores that this process is kept to; 0 for no limit."""
    given = os.environ.get(VARIABLE, "").partition(",")[0]
    if given.isdecimal() and int(given):
        return int(given)
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    return allowed if allowed < (os.cpu_count() or 0) else 0
