# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Several evaluations of one protocol, such as training runs that differ in their seed, as mean and spread."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from depth_node.errors import EvaluationError

SUMMARISED = ("metrics", "pooled", "median_ratio", "ratio_spread", "classes", "ranges")
SAME = ("ground_truth", "labels", "pixels")
HARMLESS = ("device", "precision", "picture_count", "class_average")
"""Settings that do not change which numbers are compared."""


@dataclass(frozen=True)
class Spread:
    """One number over runs: mean, sample standard deviation (n - 1; 0 for one run), smallest, largest, runs."""

    mean: float
    std: float
    low: float
    high: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise one number; there must be at least one value."""
        array = np.array(values, dtype=np.float64)
        std = float(array.std(ddof=1)) if len(array) > 1 else 0.0
        return cls(float(array.mean()), std, float(array.min()), float(array.max()), len(array))

    def __str__(self) -> str:
        """Mean and standard deviation, as tables have it; of a single run there is no deviation to tell."""
        if self.runs == 1:
            return f"{self.mean:.4f}"
        return f"{self.mean:.4f} ± {self.std:.4f}"


def read_evaluations(path: Path) -> list[dict[str, Any]]:
    """The record of each checkpoint in a file of `depth evaluate --json`.

    Raises:
        EvaluationError: the file cannot be read or is something else.
    """
    try:
        records = json.loads(path.read_text(encoding="utf-8"))["checkpoints"]
        if not all(isinstance(record["metrics"], dict) for record in records):
            raise TypeError
    except OSError as error:
        raise EvaluationError(f"cannot read evaluation {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise EvaluationError(f"{path} is no result of `depth evaluate --json`") from None
    return list(records)


def summarise_runs(records: Sequence[Mapping[str, Any]]) -> dict[str, Spread]:
    """Mean and spread of every number over runs that were evaluated alike.

    Args:
        records: one per run, as `DepthReport.record` makes and `read_evaluations` reads them.

    Returns:
        By the dotted name in the record, such as 'metrics.abs_rel', 'classes.average.by_dataset.abs_rel',
        'classes.each.car.by_image.a1', 'ranges.each.0-10 m.by_dataset.rmse' or 'median_ratio'.

    Raises:
        EvaluationError: there is no run, or two were evaluated by other settings or on other pixels.
    """
    if not records:
        raise EvaluationError("no run to summarise")
    first = _conditions(records[0])
    for record in records[1:]:
        other = _conditions(record)
        differing = [name for name in first | other if first.get(name) != other.get(name)]
        if differing:
            raise EvaluationError(f"runs were not evaluated alike, '{differing[0]}' differs: evaluate them again")
    found: dict[str, list[float]] = {}
    for record in records:
        for name, value in _numbers({key: record[key] for key in SUMMARISED if key in record}):
            found.setdefault(name, []).append(value)
    return {name: Spread.of(values) for name, values in found.items()}


def _conditions(record: Mapping[str, Any]) -> dict[str, Any]:
    settings = {name: value for name, value in record["protocol"].items() if name not in HARMLESS}
    frames = [frame["name"] for frame in record["frames"]]
    return {**settings, **{name: record.get(name) for name in SAME}, "frames": frames}


def _numbers(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{key}.")
        elif isinstance(value, float):
            yield prefix + key, value
