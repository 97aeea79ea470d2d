# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Shared memory of killed processes goes, that of living ones stays."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from depth_node.ros.surroundings import SHARED_MEMORY, clear_dead_segments, dead_segments

NODE = """
from depth_node.ros.main import ros_context
with ros_context([]) as stop:
    import rclpy
    node = rclpy.create_node("left_behind")
    print("up", flush=True)
    stop.wait(60)
"""


def make(folder, name):
    for ending in ("", "_el"):
        (folder / f"{name}{ending}").write_bytes(b"something")
    return folder / name


def test_what_nobody_holds_is_removed_and_nothing_else(tmp_path):
    dead, alive = make(tmp_path, "fastdds_" + 16 * "0"), make(tmp_path, "fastrtps_" + 16 * "a")
    make(tmp_path, "fastdds_port7411")
    make(tmp_path, "faster_than_light")
    unlocked = tmp_path / ("fastdds_" + 16 * "b")
    unlocked.touch()
    before = set(tmp_path.iterdir())
    with Path(f"{alive}_el").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert list(dead_segments(tmp_path)) == [dead]
        clear_dead_segments(tmp_path)
    assert before - set(tmp_path.iterdir()) == {dead, Path(f"{dead}_el")}


def test_a_folder_that_is_not_there_is_no_trouble(tmp_path):
    clear_dead_segments(tmp_path / "none")


def test_a_killed_node_leaves_what_the_next_start_removes():
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    environment = os.environ | {"ROS_DOMAIN_ID": "83", "FASTDDS_BUILTIN_TRANSPORTS": "DEFAULT"}
    command = [sys.executable, "-c", NODE]

    def start():
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline().strip() == "up"
        return process, {path for path in SHARED_MEMORY.glob("fast*") if holds(process.pid, path)}

    killed, its_memory = start()
    if not its_memory:
        killed.kill()
        pytest.skip("this middleware has no shared memory")
    assert its_memory.isdisjoint(dead_segments())
    killed.kill()
    killed.wait()
    following, _ = start()
    assert not any(path.exists() for path in its_memory)
    following.send_signal(signal.SIGINT)
    assert following.wait(60) == 0


def holds(pid, path):
    """Whether a process has mapped a segment."""
    name = path.name
    return len(name.partition("_")[2]) == 16 and f"{name}\n" in Path(f"/proc/{pid}/maps").read_text()
