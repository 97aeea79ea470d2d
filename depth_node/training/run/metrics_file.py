# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""metrics.csv: one line per logged step and stage, appended, so that a resumed run continues its own curve."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from depth_node.atomic_file import replacing
from depth_node.datasets.batch_order import BatchOrder
from depth_node.losses.objective import LossTerms

METRICS_FILE = "metrics.csv"
TERMS = tuple(field.name for field in fields(LossTerms))
SPEED = "samples_per_second"
COLUMNS = ("step", "epoch", "stage", "learning_rate")


class MetricsFile(Callback):
    """Writes terms of training (every `every` steps) and validation to `folder`/metrics.csv.

    The terms are those of the self-supervised objective, unless others are named; a cell stays empty where a stage
    does not log a term.
    """

    def __init__(self, folder: Path, every: int, order: BatchOrder, terms: Sequence[str] = TERMS) -> None:
        self.path = folder / METRICS_FILE
        self.every = every
        self.order = order
        self.terms = (*terms, SPEED)
        self.columns = (*COLUMNS, *self.terms)
        self._rows: int | None = None

    def state_dict(self) -> dict[str, Any]:
        """A save knows how many lines belong to it."""
        return {"rows": self._rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the number of lines of the save that is resumed."""
        self._rows = state_dict["rows"]

    def on_train_start(self, trainer: lightning.Trainer, *_: Any) -> None:
        """Start the file, or drop the lines that a resumed run will write again."""
        if not trainer.is_global_zero:
            return
        rows = read_metrics(self.path.parent) if self.path.exists() and trainer.global_step else []
        # Earlier versions saved no number: there, every line up to the save's step counts.
        rows = [row for row in rows if int(row["step"]) <= trainer.global_step][: self._rows]
        self._rows = len(rows)
        with replacing(self.path) as temporary, temporary.open("w", newline="") as file:
            writer = csv.DictWriter(file, self.columns, restval="", extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """One line every `every` steps."""
        if trainer.global_step % self.every == 0:
            self._append(trainer, "train")

    def on_validation_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """One line per validation."""
        if not trainer.sanity_checking:
            self._append(trainer, "val")

    def _append(self, trainer: lightning.Trainer, stage: str) -> None:
        terms = {name: trainer.callback_metrics.get(f"{stage}/{name}") for name in self.terms}
        if not trainer.is_global_zero or all(value is None for value in terms.values()):
            return
        row: dict[str, Any] = {name: f"{float(value):.6g}" for name, value in terms.items() if value is not None}
        step = trainer.global_step
        row |= {"step": step, "epoch": self.order.epoch(step - 1), "stage": stage}
        row["learning_rate"] = trainer.optimizers[0].param_groups[0]["lr"]
        with self.path.open("a", newline="") as file:
            csv.DictWriter(file, self.columns).writerow(row)
        self._rows = (self._rows or 0) + 1


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
    alone = bool(learnt) and not any(learnt)
    for stage in ("val", "train"):
        stage_rows = [row for row in rows if row["stage"] == stage]
        if stage_rows:
            term = "distillation" if alone else "photometric"
            first, last = (float(stage_rows[i][term]) for i in (0, -1))
            if alone:
                return f"{stage} difference to the teacher {first:.4f} -> {last:.4f}"
            still = float(stage_rows[-1]["identity"])
            gain = 1 - last / still
            return (
                f"{stage} photometric error {first:.4f} -> {last:.4f}: {abs(gain):.0%} "
                f"{'below' if gain >= 0 else 'ABOVE'} the no-motion baseline of {still:.4f}"
            )
    return "no metrics were logged: the run was shorter than --log_every"
