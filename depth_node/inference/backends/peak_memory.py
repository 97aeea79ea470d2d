# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The most memory that a process needs to run a checkpoint in one back end, measured in a process of its own."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path

PASSES = 3


def peak_memory(checkpoint: Path, title: str, size: tuple[int, int]) -> float:
    """MiB at most of a fresh process that loads a back end and runs it; NaN where it fails.

    Args:
        checkpoint: the file.
        title: the back end with its arithmetic, such as 'openvino fp32'.
        size: height and width of the input, pixels.
    """
    command = [sys.executable, "-m", "depth_node.inference.backends.peak_memory", str(checkpoint), title]
    done = subprocess.run([*command, *map(str, size)], capture_output=True, text=True, check=False)
    words = done.stdout.split()
    return float(words[-1]) if done.returncode == 0 and words else float("nan")


def own_peak() -> float:
    """MiB at most of this process; getrusage would count the process that started it."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        found = None
    kilobytes = int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes / 1024


def main() -> None:
    """Load, run, and print the peak."""
    from depth_node.inference.backends.opener import Opener
    from depth_node.inference.backends.trial_pictures import trial_pictures

    checkpoint, title, *size = sys.argv[1:]
    height, width = map(int, size)
    opener = Opener(Path(checkpoint), "cpu", "auto", lambda _: None, is_strict=False, size=(height, width))
    backend = opener.entrant(title)
    for picture in trial_pictures(height, width, PASSES):
        backend.run(picture, 1, True)
    print(own_peak())


if __name__ == "__main__":
    main()
