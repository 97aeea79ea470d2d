# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Prints guided against plain networks from the JSON of `depth evaluate`: mean and spread over seeds, and each pair.

Checkpoints are runs named NETWORK_plain_SEED and NETWORK_guided_SEED.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from depth_node.evaluation.summary import Spread, read_evaluations, summarise_runs

COLUMNS = {
    "abs_rel": "metrics.abs_rel",
    "class average": "classes.average.by_dataset.abs_rel",
    "car": "classes.each.car.by_dataset.abs_rel",
    "rmse": "metrics.rmse",
    "a1": "metrics.a1",
}
PAIRED = ("abs_rel", "class average")


def read_runs(path: Path) -> dict[tuple[str, str], dict[int, dict[str, Any]]]:
    """(network, plain or guided) to seed to record."""
    runs: dict[tuple[str, str], dict[int, dict[str, Any]]] = {}
    for record in read_evaluations(path):
        found = re.search(r"(\w+)_(plain|guided)_(\d+)", str(record["checkpoint"]))
        if found:
            runs.setdefault((found[1], found[2]), {})[int(found[3])] = record
    return runs


def main() -> None:
    """Print two markdown tables."""
    runs = read_runs(Path(sys.argv[1]))
    print("| network | " + " | ".join(COLUMNS) + " |\n|---|" + "---|" * len(COLUMNS))
    for (network, kind), seeds in sorted(runs.items()):
        summary = summarise_runs(list(seeds.values()))
        cells = [str(summary[name]) for name in COLUMNS.values()]
        print(f"| {network} {kind} | " + " | ".join(cells) + " |")
    print("\n| guided / plain, same seed | " + " | ".join(PAIRED) + " |\n|---|---|---|")
    for network in sorted({network for network, _ in runs}):
        plain, guided = runs[network, "plain"], runs[network, "guided"]
        cells = []
        for column in PAIRED:
            key = COLUMNS[column]
            ratios = [
                summarise_runs([guided[seed]])[key].mean / summarise_runs([plain[seed]])[key].mean
                for seed in sorted(plain.keys() & guided.keys())
            ]
            cells.append(", ".join(f"{ratio:.3f}" for ratio in ratios) + f" (mean {Spread.of(ratios).mean:.3f})")
        print(f"| {network} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
