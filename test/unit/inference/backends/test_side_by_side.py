# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The comparison of back ends."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from depth_node.config.bench import BenchConfig
from depth_node.errors import CheckpointError, ConfigError
from depth_node.inference.backends import side_by_side as bench_module
from depth_node.inference.backends.busy_processes import busy
from depth_node.inference.backends.peak_memory import own_peak, peak_memory
from depth_node.inference.backends.side_by_side import bench, surroundings


def test_rows_idle_then_busy(small_checkpoint, runtimes, runtime, monkeypatch):
    runtimes(runtime("openvino", factors={"bf16": 1.1, "fp32": 1.0}), runtime("onnxruntime", ["onnxruntime"]))
    monkeypatch.setattr(bench_module, "peak_memory", lambda *_: 300.0)
    said = []
    rows = bench(small_checkpoint, BenchConfig(rounds=3, busy=1), [], said.append)
    assert [(row.backend, row.busy) for row in rows] == [
        (backend, busy_processes)
        for busy_processes in (0, 1)
        for backend in ("torch fp32", "torch bf16", "openvino bf16", "openvino fp32")
    ]
    eager, half, rough, exact = rows[:4]
    assert (eager.ratio, eager.depth_drift, exact.depth_drift) == (1.0, 0.0, 0.0)
    assert half.depth_drift > 0
    assert rough.depth_drift > 0.005
    assert (exact.passes, rough.passes) == (True, False)
    assert all(0 < row.median <= row.p95 <= row.p99 for row in rows)


def test_another_size(small_checkpoint, runtimes, monkeypatch):
    runtimes()
    monkeypatch.setattr(bench_module, "peak_memory", lambda *_: 300.0)
    assert len(bench(small_checkpoint, BenchConfig(width=160, height=96, rounds=3), [], print)) == 2
    with pytest.raises(ConfigError, match="not a multiple of 32"):
        bench(small_checkpoint, BenchConfig(width=161, rounds=3), [], print)
    with pytest.raises(CheckpointError, match="does not exist"):
        bench(Path("/none.safetensors"), BenchConfig(), [], print)


def test_what_stands_beside_the_numbers():
    about = surroundings(BenchConfig(rounds=7))
    assert about["settings"]["rounds"] == 7
    assert about["versions"]["torch"]
    assert about["processor"]


def test_busy_processes_end_with_the_block():
    with busy(2) as children:
        assert len(children) == 2
        for child in children:
            os.kill(child, 0)  # it is there
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_peak_memory_is_that_of_a_fresh_process(small_checkpoint):
    assert own_peak() > 50
    assert 100 < peak_memory(small_checkpoint, "torch fp32", (64, 128)) < 2000
