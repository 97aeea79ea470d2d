# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes that are always ended properly: a killed DDS participant would leave shared memory behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from depth_node.errors import DemoError

STOP_SECONDS = 10.0


def isolated_environment() -> dict[str, str]:
    """This environment with a ROS domain of its own, so that no other robot on the network takes part."""
    environment = dict(os.environ)
    # Domain ids up to 101 fit every operating system's port range.
    environment.setdefault("ROS_DOMAIN_ID", str(random.SystemRandom().randint(50, 101)))
    environment.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


@contextmanager
def running(
    module: str, arguments: Sequence[str], log: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m module arguments` with output to `log`; it is interrupted (SIGINT) at the end of the block."""
    with ExitStack() as stack:
        output = stack.enter_context(log.open("w"))
        child = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], stdout=output, stderr=subprocess.STDOUT, env=environment
        )
        try:
            yield child
        finally:
            stop(child)


def stop(child: subprocess.Popen[bytes]) -> None:
    """End a child gently, and by force only when it does not listen."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_for(child: subprocess.Popen[bytes], seconds: float, what: str, log: Path) -> None:
    """Wait until a child has finished well.

    Raises:
        DemoError: it failed or took too long; the message quotes the end of its log.
    """
    try:
        status = child.wait(seconds)
    except subprocess.TimeoutExpired:
        raise DemoError(f"{what} did not finish within {seconds:.0f} s, see {log}") from None
    if status != 0:
        raise DemoError(f"{what} failed: {last_line(log)} (all of it in {log})")


def last_line(log: Path) -> str:
    """The last line of a log that says something."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
