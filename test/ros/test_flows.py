# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""docs/architecture.md lists the files that really run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")

ROOT = Path(__file__).parents[2]
SECTION = re.compile(r"^\*\*(\w+)\*\*, ([^\n]+): (\d+) files\n\n```\n(.+?)\n```", re.MULTILINE | re.DOTALL)
LONGEST = {"live": 30, "record": 24, "learn": 32}


def sections(text):
    """Title, count and files of each flow."""
    return {name: (title, int(count), set(files.split())) for name, title, count, files in SECTION.findall(text)}


def test_the_documented_flows_are_those_that_run():
    # Coverage would take the profile function away.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), environment.get("PYTHONPATH", "")])
    command = [sys.executable, ROOT / "test/flows.py"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    printed, written = sections(done.stdout), sections((ROOT / "docs/architecture.md").read_text())
    assert printed == written, "run python test/flows.py and put what it prints into docs/architecture.md"
    assert list(printed) == list(LONGEST)
    assert all(count == len(files) <= LONGEST[name] for name, (_, count, files) in printed.items())
