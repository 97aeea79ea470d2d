# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""metrics.csv: one line per logged step and stage, appended, so that a resumed run continues its own curve."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from depth_node.atomic_file import replacing
from depth_node.distributed import is_first

METRICS_FILE = "metrics.csv"
NO_MOTION = 1e-3
"""Mean difference of neighbouring frames below which nothing moves; a tenth of what noise of a camera makes."""
SPEED = "samples_per_second"
COLUMNS = ("step", "epoch", "stage", "learning_rate")


class MetricsFile:
    """`folder`/metrics.csv, written by the first process alone; a cell is empty where a stage logs no such term."""

    def __init__(self, folder: Path, terms: Sequence[str]) -> None:
        self.path = folder / METRICS_FILE
        self.columns = (*COLUMNS, *terms, SPEED)

    def start(self, step: int, rows: int) -> int:
        """Start the file, or drop the lines that a resumed run will write again; returns how many are left.

        Args:
            step: that the run begins after.
            rows: lines of its save.
        """
        kept = read_metrics(self.path.parent) if self.path.exists() and step else []
        kept = [row for row in kept if int(row["step"]) <= step][:rows]
        if is_first():
            with replacing(self.path) as temporary, temporary.open("w", newline="") as file:
                writer = csv.DictWriter(file, self.columns, restval="", extrasaction="ignore")
                writer.writeheader()
                writer.writerows(kept)
        return len(kept)

    def append(self, stage: str, step: int, epoch: int, learning_rate: float, terms: Mapping[str, float]) -> None:
        """Add a line."""
        if not is_first():
            return
        row: dict[str, Any] = {name: f"{value:.6g}" for name, value in terms.items()}
        row |= {"step": step, "epoch": epoch, "stage": stage, "learning_rate": learning_rate}
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(row)


def read_metrics(folder: Path) -> list[dict[str, str]]:
    """All lines of a run's metrics.csv, as written; what a power cut has left of a line does not count."""
    text = (folder / METRICS_FILE).read_text(encoding="utf-8", errors="replace").replace("\0", "")
    return [row for row in csv.DictReader(text.splitlines()) if (row.get("step") or "").isdecimal()]


def summarise(folder: Path) -> str:
    """First and last photometric error beside the no-motion baseline, from validation where there is one.

    Of a run that learnt from a teacher alone, the difference to that.
    """
    rows = read_metrics(folder)
    learnt = [float(row["identity"]) for row in rows if row["stage"] == "train"]
    taught = any(float(row["distillation"]) for row in rows)
    alone = bool(learnt) and not any(learnt) and taught  # pictures without any light differ by nothing, either
    for stage in ("val", "train"):
        stage_rows = [row for row in rows if row["stage"] == stage]
        if stage_rows:
            term = "distillation" if alone else "photometric"
            first, last = (float(stage_rows[i][term]) for i in (0, -1))
            if alone:
                return f"{stage} difference to the teacher {first:.4f} -> {last:.4f}"
            still = float(stage_rows[-1]["identity"])
            if still < NO_MOTION:
                return (
                    f"{stage} photometric error {first:.4f} -> {last:.4f}, but neighbouring frames hardly differ "
                    f"({still:.1e}): the camera stood still, and nothing can be learnt from that"
                )
            gain = 1 - last / still
            return (
                f"{stage} photometric error {first:.4f} -> {last:.4f}: {abs(gain):.0%} "
                f"{'below' if gain >= 0 else 'ABOVE'} the no-motion baseline of {still:.4f}"
            )
    return "no metrics were logged: the run was shorter than --log_every"
