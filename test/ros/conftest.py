# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Real processes on real DDS: nodes as programs, and a listener in the test's own process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LIVE_NODE = ("depth_node.ros.main", "depth_node")
PATIENCE = 150.0
"""Seconds before a test gives up on another process: much, because machines may be loaded."""


class Program:
    """A running command whose output is collected line by line.

    Live nodes run by torch where nothing else is said: making a network for another back end takes longer than a test.
    `before` is Python that runs ahead of the module.
    """

    def __init__(self, *command: str, before: str = "") -> None:
        if command[:2] == LIVE_NODE and "--ros-args" in command and not any("backend:=" in word for word in command):
            command = (*command, "-p", "backend:=torch")
        # One thread per network: several processes share the machine's cores, and waiting threads would spin.
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1", "PYTHONPATH": path}
        self.lines: list[str] = []
        self._there_before = set(Path("/dev/shm").glob("fast*"))
        python = ["-m", *command]
        if before:
            run = f"import runpy; runpy.run_module({command[0]!r}, run_name='__main__', alter_sys=True)"
            python = ["-c", f"{before}\n{run}", *command[1:]]
        self._process = subprocess.Popen(
            [sys.executable, *python],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip())

    @property
    def output(self) -> str:
        """Everything printed so far."""
        return "\n".join(self.lines)

    def wait_for(self, pattern: str, timeout: float = PATIENCE) -> str:
        """The first line that matches, as soon as it is there."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for line in list(self.lines):
                if re.search(pattern, line):
                    return line
            if self._process.poll() is not None and not self._reader.is_alive():
                break
            time.sleep(0.05)
        pytest.fail(f"no line matches {pattern!r} in:\n{self.output}")

    def wait(self, timeout: float = PATIENCE) -> int:
        """The exit status, once the program has ended by itself."""
        status = self._process.wait(timeout)
        self._reader.join(10)
        return status

    def stop(self, with_signal: int = signal.SIGINT, timeout: float = PATIENCE, again: int = 0) -> int:
        """Ask it to end, `again` more times as `ros2 launch` and impatient people do, and return its exit status."""
        for number in range(1 + again):
            if self._process.poll() is None:
                time.sleep(0.02 * min(number, 1))
                self._process.send_signal(with_signal)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()  # leaves shared memory behind, but not a process
            pytest.fail(f"did not end on signal {with_signal}:\n{self.output}")

    def wait_until_loaded(self, library: str, timeout: float = PATIENCE) -> None:
        """Return once a shared library is in its memory."""
        deadline = time.monotonic() + timeout
        while library not in Path(f"/proc/{self._process.pid}/maps").read_text():
            assert time.monotonic() < deadline, self.output
            time.sleep(0.02)

    def shared_memory(self) -> set[Path]:
        """Files of Fast DDS's shared memory that came with this process (ports are shared with others)."""
        maps = Path(f"/proc/{self._process.pid}/maps").read_text()
        used = {Path(name) for name in re.findall(r"/dev/shm/fast\w+", maps) if "port" not in name}
        return used - self._there_before


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Program]]:
    """Start `python -m ...`, with a line of Python `before` it; what still runs at the module's end is stopped."""
    programs: list[Program] = []

    def run(*command: str, before: str = "") -> Program:
        programs.append(Program(*command, before=before))
        return programs[-1]

    yield run
    for program in programs:
        program.stop()


class Listener:
    """A node in this process that collects messages and can play the camera."""

    def __init__(self, rclpy: Any, name: str) -> None:
        from rclpy.executors import SingleThreadedExecutor

        self.node = rclpy.create_node(name)
        self.received: dict[str, list[Any]] = {}
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)

    def subscribe(self, kind: type, topic: str, profile: Any = 100) -> None:
        """Collect a topic's messages in `received`; `profile` is a depth or a whole quality of service."""
        messages = self.received[topic] = []
        self.node.create_subscription(kind, topic, messages.append, profile)

    def spin_until(self, condition: Callable[[], Any], timeout: float = PATIENCE) -> bool:
        """Process messages until the condition holds; returns whether it does."""
        deadline = time.monotonic() + timeout
        while not condition() and time.monotonic() < deadline:
            self._executor.spin_once(timeout_sec=0.05)
        return bool(condition())

    def spin_for(self, seconds: float) -> None:
        """Process messages for a while."""
        self.spin_until(lambda: False, seconds)

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self.node.destroy_node()


@pytest.fixture
def listener(ros: Any, request: pytest.FixtureRequest) -> Iterator[Listener]:
    """A fresh listener."""
    made = Listener(ros, "listener")
    yield made
    made.close()
