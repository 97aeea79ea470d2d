# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether ROS 2 is there, and whether large messages get through; nothing of ROS is imported."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from depth_node.installed import version_of
from depth_node.ros.doctor.finding import BAD, NOTE, OK, WARN, Finding
from depth_node.ros.surroundings import LEAST_SHARED_MEMORY, PROFILE, PROFILE_VARIABLES, SHARED_MEMORY, dead_segments

RECEIVE_BUFFER = Path("/proc/sys/net/core/rmem_max")
LEAST_BUFFER = 4 << 20


def check_middleware(environment: Mapping[str, str] = os.environ) -> Iterator[Finding]:
    """All findings about ROS 2 and its middleware on this machine."""
    if importlib.util.find_spec("rclpy") is None:
        remedy = "source /opt/ros/DISTRO/setup.bash, or pip install 'depth_node[ros]'"
        yield Finding(BAD, "ROS 2", "rclpy cannot be imported: no nodes, no `depth play`, no demo", remedy)
        return
    distribution = environment.get("ROS_DISTRO")
    yield Finding(OK, "ROS 2", distribution or f"from wheels, rclpy {version_of('ros-rclpy') or 'installed'}")
    middleware = environment.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
    if "fastrtps" in middleware:
        yield _profile(environment)
        yield from check_shared_memory(SHARED_MEMORY)
    else:
        yield Finding(NOTE, "middleware", f"{middleware}: this package's figures are of Fast DDS")
    yield check_receive_buffer(RECEIVE_BUFFER)
    yield _domain(environment)
    if importlib.util.find_spec("tf2_msgs") is None:
        yield Finding(
            NOTE,
            "tf2_msgs",
            "not installed: where sensors sit is not heard from TF",
            "name a file, scale.extrinsics, or install ros-DISTRO-tf2-msgs",
        )


def _profile(environment: Mapping[str, str]) -> Finding:
    given = next((name for name in PROFILE_VARIABLES if environment.get(name)), None)
    if given is None:
        return Finding(
            NOTE,
            "middleware",
            "Fast DDS with 512 KiB of shared memory for whoever sets nothing; the live node takes a larger profile",
            f"give it to camera drivers and viewers, too: export {PROFILE_VARIABLES[0]}={PROFILE}",
        )
    path = Path(environment[given])
    if not path.is_file():
        return Finding(BAD, "middleware", f"{given} names {path}, which is not there", f"unset {given}")
    return Finding(OK, "middleware", f"Fast DDS by {path}")


def check_shared_memory(folder: Path) -> Iterator[Finding]:
    """Room for messages between processes, and what killed ones have left."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        yield Finding(WARN, "shared memory", f"{folder} is not there: messages go through the network", "mount it")
        return
    if free < LEAST_SHARED_MEMORY:
        yield Finding(
            WARN,
            "shared memory",
            f"{free >> 20} MB are free in {folder}: large images and clouds will be lost",
            "docker run --shm-size=1g (or --ipc=host); else delete what fills it",
        )
    else:
        yield Finding(OK, "shared memory", f"{free / 2**30:.1f} GB free")
    left = list(dead_segments(folder))
    if left:
        size = sum(path.stat().st_size for path in left) >> 20
        yield Finding(
            NOTE,
            "shared memory",
            f"{len(left)} segments of Fast DDS in {folder} are of processes that were killed, {size} MB",
            "start a node of this package, or `depth play`: it removes them",
        )


def check_receive_buffer(path: Path) -> Finding:
    """How much the network's socket may hold: images from another machine arrive in some thousand parts."""
    try:
        size = int(path.read_text())
    except (OSError, ValueError):
        return Finding(NOTE, "network buffer", "its size cannot be read here")
    if size >= LEAST_BUFFER:
        return Finding(OK, "network buffer", f"{size >> 10} KiB")
    return Finding(
        NOTE,
        "network buffer",
        f"{size >> 10} KiB: images from another machine may be lost",
        "sudo sysctl -w net.core.rmem_max=16777216",
    )


def _domain(environment: Mapping[str, str]) -> Finding:
    number = environment.get("ROS_DOMAIN_ID", "0")
    reach = environment.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "")
    local = reach in ("LOCALHOST", "OFF") or environment.get("ROS_LOCALHOST_ONLY") == "1"
    return Finding(OK, "domain", f"{number}{', this machine only' if local else ''}")
