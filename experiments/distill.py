# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Prints students with a teacher against students alone from the JSON of `depth evaluate`.

Checkpoints are runs named lite_alone_SEED, lite_both_SEED (motion and teacher) and lite_teacher_SEED; any other is the
teacher.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from depth_node.evaluation.summary import Spread, read_evaluations, summarise_runs

COLUMNS = {"abs_rel": "metrics.abs_rel", "rmse": "metrics.rmse", "a1": "metrics.a1"}
NAMES = {
    "alone": "Lite alone",
    "both": "Lite, motion and teacher",
    "teacher": "Lite, teacher only",
    "": "the teacher itself",
}


def read_runs(path: Path) -> dict[str, dict[int, dict[str, Any]]]:
    """How it learnt ('alone', 'both', 'teacher'; '' for the teacher itself) to seed to record."""
    runs: dict[str, dict[int, dict[str, Any]]] = {}
    for record in read_evaluations(path):
        found = re.search(r"lite_(alone|both|teacher)_(\d+)", str(record["checkpoint"]))
        kind, seed = (found[1], int(found[2])) if found else ("", 0)
        runs.setdefault(kind, {})[seed] = record
    return runs


def ratios(students: dict[int, dict[str, Any]], alone: dict[int, dict[str, Any]]) -> list[float]:
    """abs_rel with a teacher over abs_rel alone, for each seed that both have."""
    key = COLUMNS["abs_rel"]
    return [
        summarise_runs([students[seed]])[key].mean / summarise_runs([alone[seed]])[key].mean
        for seed in sorted(students.keys() & alone.keys())
    ]


def main() -> None:
    """Print one markdown table: mean and spread over seeds, and abs_rel against the same seed alone."""
    runs = read_runs(Path(sys.argv[1]))
    print("| network | " + " | ".join(COLUMNS) + " | abs_rel / alone, same seed |\n|---|" + "---|" * (len(COLUMNS) + 1))
    for kind, name in NAMES.items():
        if kind not in runs:
            continue
        summary = summarise_runs(list(runs[kind].values()))
        cells = [str(summary[column]) for column in COLUMNS.values()]
        found = ratios(runs[kind], runs.get("alone", {})) if kind in ("both", "teacher") else []
        paired = ", ".join(f"{ratio:.3f}" for ratio in found)
        cells.append(f"{paired} (mean {Spread.of(found).mean:.3f})" if found else "")
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
