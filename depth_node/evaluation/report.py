"""The result of an evaluation: per frame and over all, as a record, a table and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from depth_node.config.evaluation import EvaluationConfig
from depth_node.config.setting import values
from depth_node.data.atomic_file import replacing
from depth_node.evaluation.metrics import DepthMetrics, mean_metrics


@dataclass(frozen=True)
class FrameResult:
    """One compared frame: its name (split line), metrics, median(truth) / median(prediction), pixels compared."""

    name: str
    metrics: DepthMetrics
    ratio: float
    pixels: int


@dataclass(frozen=True)
class DepthReport:
    """An evaluation over frames.

    Attributes:
        frames: every compared frame, in order.
        metrics: unweighted mean over the frames.
        median_ratio: median over frames of median(truth) / median(prediction).
        ratio_spread: standard deviation of ratio / median_ratio, as monodepth2 reports it.
    """

    frames: tuple[FrameResult, ...]
    metrics: DepthMetrics
    median_ratio: float
    ratio_spread: float

    @classmethod
    def of(cls, frames: Sequence[FrameResult]) -> DepthReport:
        """Summarise compared frames; raises EvaluationError when there are none."""
        metrics = mean_metrics(frame.metrics for frame in frames)
        ratios = np.array([frame.ratio for frame in frames])
        median = float(np.median(ratios))
        return cls(tuple(frames), metrics, median, float(np.std(ratios / median)))

    def record(self, config: EvaluationConfig, **about: Any) -> dict[str, Any]:
        """All numbers and how they came about, ready for JSON; `about` adds entries (checkpoint, ground truth)."""
        summary = {"median_ratio": self.median_ratio, "ratio_spread": self.ratio_spread, "images": len(self.frames)}
        return {
            **about,
            "protocol": values(config),
            "metrics": asdict(self.metrics),
            **summary,
            "frames": [asdict(frame) for frame in self.frames],
        }


def metrics_table(report: DepthReport, title: str) -> Table:
    """The seven metrics as a table for the terminal."""
    table = Table(title=title, title_justify="left")
    for field in fields(DepthMetrics):
        table.add_column(field.name, justify="right")
    table.add_row(*(f"{value:.4f}" for value in astuple(report.metrics)))
    return table


def describe(report: DepthReport, config: EvaluationConfig) -> str:
    """Two lines that say how the numbers came about, and the statistics of scale."""
    scaled = "each scaled by its median" if config.median_scaling else "metres as predicted"
    crop = "Garg crop" if config.crop == "garg" else "whole image"
    return (
        f"mean over {len(report.frames)} images, {scaled}, {crop}, {config.min_depth:g} to {config.cap:g} m\n"
        f"truth / prediction: median {report.median_ratio:.4f}, spread {report.ratio_spread:.4f} (std / median)"
    )


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a record as JSON, the whole file or nothing; raises OutputError."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", encoding="utf-8")
