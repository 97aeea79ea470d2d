# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Work shared among processes: numbers from torchrun's environment, shares that come together in order."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from depth_node import distributed

ROOT = Path(__file__).parents[2]
SHARE = """
import atexit, os, pathlib, sys
from depth_node import distributed

@atexit.register  # called last, as the first to be registered
def threads_have_ended():
    if any("gloo" in file.read_text() for file in pathlib.Path("/proc/self/task").glob("*/comm")):
        print("a thread of gloo outlives its group", file=sys.stderr, flush=True)
        os._exit(3)

items = list(range(7))
results = distributed.gather([(distributed.rank(), item * item) for item in distributed.my_share(items)])
assert distributed.exchange([item * item for item in distributed.my_share(items)]) == [item * item for item in items]
distributed.wait_for_all()
assert (results is not None) == distributed.is_first()
if results is not None:
    open(sys.argv[1], "w").write(repr(results))
"""


@pytest.fixture(autouse=True)
def no_torchrun(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)


def test_one_process_has_everything():
    assert (distributed.rank(), distributed.world_size()) == (0, 1)
    assert (distributed.local_rank(), distributed.local_world_size()) == (0, 1)
    assert distributed.is_first()
    assert list(distributed.my_share("abc")) == ["a", "b", "c"]
    assert distributed.gather([1, 2]) == [1, 2]
    assert distributed.exchange([1, 2]) == [1, 2]


def test_numbers_come_from_the_environment(monkeypatch):
    for name, value in {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}.items():
        monkeypatch.setenv(name, value)
    assert (distributed.rank(), distributed.world_size()) == (5, 8)
    assert (distributed.local_rank(), distributed.local_world_size()) == (1, 4)
    assert not distributed.is_first()
    assert list(distributed.my_share(range(16))) == [5, 13]


def test_shares_come_together_in_order(tmp_path):
    script, result = tmp_path / "share.py", tmp_path / "result"
    script.write_text(SHARE)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*torchrun, script, result],
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert eval(result.read_text()) == [(item % 2, item * item) for item in range(7)]
