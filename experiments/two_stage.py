# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Prints stage 1 against stage 2 from the JSON of `depth evaluate`: mean and spread over seeds, and each pair.

Checkpoints are runs named SEED/stage1 and SEED/stage2.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from depth_node.evaluation.summary import Spread, read_evaluations, summarise_runs

COLUMNS = {
    "abs_rel": "metrics.abs_rel",
    "car": "classes.each.car.by_dataset.abs_rel",
    "class average": "classes.average.by_dataset.abs_rel",
    "rmse": "metrics.rmse",
    "a1": "metrics.a1",
}
PAIRED = ("abs_rel", "car", "class average")


def read_runs(path: Path) -> dict[int, dict[int, dict[str, Any]]]:
    """Stage to seed to record."""
    runs: dict[int, dict[int, dict[str, Any]]] = {}
    for record in read_evaluations(path):
        found = re.search(r"(\d+)/stage([12])/", str(record["checkpoint"]))
        if found:
            runs.setdefault(int(found[2]), {})[int(found[1])] = record
    return runs


def value(record: dict[str, Any], column: str) -> float:
    """One number of a record."""
    return summarise_runs([record])[COLUMNS[column]].mean


def main() -> None:
    """Print two markdown tables, and what resampling dropped."""
    runs, folders = read_runs(Path(sys.argv[1])), [Path(name) for name in sys.argv[2:]]
    print("| | " + " | ".join(COLUMNS) + " |\n|---|" + "---|" * len(COLUMNS))
    for stage, name in ((1, "stage 1, all frames"), (2, "stage 2, resampled")):
        summary = summarise_runs(list(runs[stage].values()))
        print(f"| {name} | " + " | ".join(str(summary[key]) for key in COLUMNS.values()) + " |")
    seeds = sorted(runs[1].keys() & runs[2].keys())
    print("\n| stage 2 / stage 1 | " + " | ".join(f"seed {seed}" for seed in seeds) + " | mean |")
    print("|---|" + "---|" * (len(seeds) + 1))
    for column in PAIRED:
        ratios = [value(runs[2][seed], column) / value(runs[1][seed], column) for seed in seeds]
        cells = (f"{ratio:.3f}" for ratio in ratios)
        print(f"| {column} | " + " | ".join(cells) + f" | {Spread.of(ratios).mean:.3f} |")
    for folder in folders:
        record = json.loads((folder / "resampled.json").read_text(encoding="utf-8"))
        print(f"\n{folder}: {record['dropped']} of {record['frames']} frames dropped")


if __name__ == "__main__":
    main()
