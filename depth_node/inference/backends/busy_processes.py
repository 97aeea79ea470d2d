# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that do nothing but run, to see what a loaded machine does to a network."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def busy(processes: int) -> Iterator[list[int]]:
    """So many processes that do nothing but run; their numbers."""
    children = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield [child.pid for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
