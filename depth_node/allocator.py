# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory this process holds, and asking glibc to keep large blocks rather than give them back every time.

PyTorch on the CPU allocates tens of megabytes per operation. glibc maps and unmaps each such block, and the kernel
clears its pages every time; keeping them makes a training step about 1.5 times as fast, and a picture of 1280x384 in
the live node 1.3 times (docs/speed.md). It costs some resident memory.
"""

from __future__ import annotations

import ctypes
import resource
from pathlib import Path

# Numbers of mallopt(3)'s parameters, from malloc.h.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3


def keep_large_blocks() -> bool:
    """Set the allocator's thresholds for this process; false where the C library has no `mallopt`."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return False
    done = (mallopt(M_MMAP_THRESHOLD, 10**9), mallopt(M_TRIM_THRESHOLD, 2 * 10**9), mallopt(M_TOP_PAD, 64 << 20))
    return all(done)


def resident_memory() -> int:
    """Bytes of this process that are in memory now; where the system does not say, the most there ever were."""
    pages = Path("/proc/self/statm")
    if pages.exists():
        return int(pages.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
