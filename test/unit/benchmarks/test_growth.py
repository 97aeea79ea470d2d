# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmarks that ask how costs grow: what they make of known costs, and that they run."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import time
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
ROUNDS = runpy.run_path(str(BENCHMARKS / "rounds.py"))


def run(script: str, *args: str, fails: bool = False) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *args]
    environment = {"PYTHONPATH": str(BENCHMARKS.parent), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    assert (done.returncode != 0) == fails, done.stderr
    return done.stderr if fails else done.stdout


def test_what_is_in_proportion_has_exponent_1():
    found = ROUNDS["growth"]([1, 2, 4, 8], [[3.0, 6.0], [6.0, 12.0], [12.0, 24.0], [24.0, 48.0]])
    assert [found.exponent, found.low, found.high, found.last, found.last_low] == pytest.approx([1] * 5)
    assert not found.is_faster_than_linear


def test_a_square_is_faster_than_linear():
    found = ROUNDS["growth"]([1, 3, 9], [[1.0], [9.0], [81.0]])
    assert found.exponent == pytest.approx(2)
    assert found.is_faster_than_linear


def test_a_fixed_cost_does_not_hide_a_square_at_the_end():
    found = ROUNDS["growth"]([1, 2, 4, 40, 80], [[100.0 + n**2] for n in (1, 2, 4, 40, 80)])
    assert found.exponent < 1
    assert found.is_faster_than_linear


def test_rounds_that_disagree_prove_nothing():
    found = ROUNDS["growth"]([1, 2], [[1.0, 1.0, 1.0], [1.5, 3.0, 2.5]])
    assert found.exponent > 1.1
    assert not found.is_faster_than_linear


def test_turns_discard_the_first_rounds_and_tell_waiting_from_work():
    calls: list[str] = []
    named = {"sleeps": lambda: (calls.append("sleeps"), time.sleep(0.03)), "b": lambda: calls.append("b")}
    costs = ROUNDS["in_turns"](named, rounds=3)
    assert {name: len(each) for name, each in costs.items()} == {"sleeps": 3, "b": 3}
    assert calls.count("b") == 3 + ROUNDS["DISCARDED"]
    assert all(cost.wall > 29 and cost.cpu < 29 for cost in costs["sleeps"])


def test_growth_runs_and_leaves_its_numbers(checkpoint_file, tmp_path):
    sizes = ("--sizes", "64x64", "192x64", "--cameras", "1", "2", "--clouds", "64x32", "96x64")
    said = run("growth.py", "--checkpoint", str(checkpoint_file), "--rounds", "2", *sizes, "--output", str(tmp_path))
    record = json.loads((tmp_path / "growth.json").read_text())
    assert [part["unit"] for part in record["parts"]] == ["pixels", "cameras", "points"]
    for part in record["parts"]:
        assert len(part["rows"]) == 2
        assert all(len(row[clock]) == 2 and min(row[clock]) > 0 for row in part["rows"] for clock in ("wall", "cpu"))
        assert all(row["memory"]["peak"] > row["memory"]["added"] > 0 for row in part["rows"])
        assert set(part["growth"]) == {"wall", "cpu", "memory"}
    assert record["parts"][0]["rows"][1]["amount"] == 192 * 64
    assert record["machine"]["cores"] > 0
    assert "faster than linear" in said.lower()
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")
    assert "| 2 cameras |" in (tmp_path / "growth.md").read_text()


@pytest.mark.parametrize(
    ("args", "line"),
    [
        (("--sizes", "640x192"), "--sizes needs two or more different amounts"),
        (("--sizes", "640", "1280"), "'640' is no size"),
        (("--sizes", "50x50", "640x192"), "32"),
    ],
)
def test_what_growth_cannot_measure_is_one_line(args, line, tmp_path):
    said = run("growth.py", *args, "--output", str(tmp_path), fails=True)
    assert line in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_training_step_is_measured_against_its_floor(tmp_path):
    args = ("--sizes", "64x64", "--batches", "2", "--rounds", "2", "--workers", "0", "1", "--loaded", "1")
    run("training_step.py", *args, "--device", "cpu", "--output", str(tmp_path))
    record = json.loads((tmp_path / "training_step.json").read_text())
    forms = {each["form"]: each for each in record["steps"]}
    assert {"floor", "step", "weights not channels last", "Adam not fused"} <= set(forms)
    assert forms["step"]["ratio"] == 1
    assert all(each["ratio"] > 0 and len(each["cpu"]) == 2 for each in forms.values())
    assert forms["step"]["memory"]["peak"] > forms["floor"]["memory"]["added"] > 0
    assert [each["form"] for each in record["loaders"]][1:] == ["loading in between", "1 loader process"]
