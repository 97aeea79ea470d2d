# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a process sets of its own surroundings before ROS and torch are there: how threads wait, room for messages."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

SPIN_COUNT = "1000"
"""How often an OpenMP thread looks for work before it sleeps. By default, that is for milliseconds: where another
program wants the core, threads then wait for each other while they keep each other from running, and a frame takes up
to sixty times as long (benchmarks/busy_cores.py). On an idle machine this costs a tenth."""

PROFILE = Path(__file__).with_name("large_messages.xml")
PROFILE_VARIABLES = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
"""Where Fast DDS is told of its profile, of version 3 and before."""
FAST_DDS_2, FIRST_WHEEL_OF_3 = ("humble", "iron", "jazzy"), 9
"""Distributions with Fast DDS 2, and the first version of rmw_fastrtps with the next."""
LEAST_SHARED_MEMORY = 256 << 20
SHARED_MEMORY = Path("/dev/shm")
SEGMENT = re.compile(r"fast(rtps|dds)_[0-9a-f]{16}")
"""A segment of Fast DDS; beside it lies its lock, a file of the same name and `_el`."""
PROFILES_FOUND = ("DEFAULT_FASTDDS_PROFILES.xml", "DEFAULT_FASTRTPS_PROFILES.xml")
"""What it takes from the working folder by itself."""


def share_cores() -> None:
    """Let the threads of the network sleep while they wait, unless the user has a mind of his own; before torch."""
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & set(os.environ):
        os.environ["GOMP_SPINCOUNT"] = SPIN_COUNT


def make_room_for_large_messages() -> None:
    """Give Fast DDS a larger shared memory than the 512 KiB of its own, where the user has no profile; before rclpy."""
    own = any(os.environ.get(name) for name in (*PROFILE_VARIABLES, "FASTDDS_BUILTIN_TRANSPORTS"))
    own |= any(Path(name).is_file() for name in PROFILES_FOUND)
    if not own and _has_room() and "fastrtps" in os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp"):
        os.environ[PROFILE_VARIABLES[1] if _is_fast_dds_2() else PROFILE_VARIABLES[0]] = str(PROFILE)


def dead_segments(folder: Path = SHARED_MEMORY) -> Iterator[Path]:
    """Shared memory that processes left which were killed; a living one holds the lock of its segment."""
    for path in folder.glob("fast*"):
        if not SEGMENT.fullmatch(path.name):
            continue
        try:
            # The lock comes first and the segment second: where both are there, nobody is just about to lock.
            with path.with_name(f"{path.name}_el").open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # held, gone, or somebody else's
            continue
        yield path


def clear_dead_segments(folder: Path = SHARED_MEMORY) -> None:
    """Remove them: a node that is killed leaves 34 MB of memory, and Fast DDS never looks for it again."""
    for path in dead_segments(folder):
        for file in (path, path.with_name(f"{path.name}_el")):
            try:
                file.unlink()
            except OSError:  # of another user, or removed by another node that starts
                break


def _is_fast_dds_2() -> bool:
    """Whether Fast DDS is of version 2, which knows the old name only; the next one complains of it."""
    distribution = os.environ.get("ROS_DISTRO")
    if distribution:
        return distribution in FAST_DDS_2
    try:
        return int(metadata.version("ros-rmw-fastrtps-cpp").partition(".")[0]) < FIRST_WHEEL_OF_3
    except (metadata.PackageNotFoundError, ValueError):
        return False


def _has_room() -> bool:
    """Whether shared memory is large enough for some participants; containers often have 64 MB of it."""
    try:
        return shutil.disk_usage("/dev/shm").free > LEAST_SHARED_MEMORY
    except OSError:
        return False
