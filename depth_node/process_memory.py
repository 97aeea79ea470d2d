# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory this process holds."""

from __future__ import annotations

import resource
from pathlib import Path


def resident_memory() -> int:
    """Bytes of this process that are in memory now; where the system does not say, the most there ever were."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
