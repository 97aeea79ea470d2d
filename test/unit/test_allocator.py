# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The live node keeps the memory of large maps from picture to picture."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
{first}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.ones(64 << 20, np.uint8)
before = faults()
np.ones(64 << 20, np.uint8)
print("pages", faults() - before)
"""
NODE = "from depth_node.ros.main import depth_node; depth_node(['--help'])"


def pages(first: str) -> int:
    """Pages that a block of 64 MiB costs in a new process where one has been there before."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", FAULTS.format(first=first)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return int(done.stdout.rpartition("pages")[2])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has other ways")
def test_the_live_node_gets_large_blocks_without_new_pages():
    pytest.importorskip("rclpy")
    assert pages(NODE) * 4 < pages("")
