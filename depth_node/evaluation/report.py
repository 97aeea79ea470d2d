# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The result of an evaluation, per frame and over all, and its JSON form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from depth_node.atomic_file import replacing
from depth_node.config.evaluation import EvaluationConfig
from depth_node.config.setting import values
from depth_node.errors import EvaluationError
from depth_node.evaluation.breakdown import Breakdown, PartErrors
from depth_node.evaluation.metrics import DepthMetrics, mean_metrics, pooled_metrics


@dataclass(frozen=True)
class FrameResult:
    """One compared frame.

    name: its split line; metrics; ratio = median(truth) / median(prediction); pixels compared; ranges, classes: its
    errors by range and by semantic class, None where not known.
    """

    name: str
    metrics: DepthMetrics
    ratio: float
    pixels: int
    ranges: PartErrors | None = None
    classes: PartErrors | None = None

    def record(self) -> dict[str, Any]:
        """The frame's numbers, ready for JSON."""
        return {"name": self.name, "metrics": asdict(self.metrics), "ratio": self.ratio, "pixels": self.pixels}


@dataclass(frozen=True)
class DepthReport:
    """An evaluation over frames.

    Attributes:
        frames: every compared frame, in order.
        metrics: unweighted mean over the frames, as the field's tables.
        pooled: metrics over the pixels of all frames together; what 'dataset' metrics of a class compare with.
        median_ratio: median over frames of median(truth) / median(prediction).
        ratio_spread: standard deviation of ratio / median_ratio, as monodepth2 reports it.
        ranges: metrics by range of measured depth.
        classes: metrics by semantic class, over the frames that have labels.
        left_out: frames without truth inside the crop and the depth range.
    """

    frames: tuple[FrameResult, ...]
    metrics: DepthMetrics
    pooled: DepthMetrics
    median_ratio: float
    ratio_spread: float
    ranges: Breakdown
    classes: Breakdown
    left_out: int = 0

    @classmethod
    def of(cls, results: Sequence[FrameResult | None]) -> DepthReport:
        """Summarise compared frames, None for those that could not be; raises EvaluationError when there are none."""
        frames = [result for result in results if result is not None]
        if results and not frames:
            raise EvaluationError(
                "no frame has ground truth inside the crop and the depth range: try --crop none or a larger --cap"
            )
        metrics = [frame.metrics for frame in frames]
        mean, pooled = mean_metrics(metrics), pooled_metrics(metrics, [frame.pixels for frame in frames])
        ratios = np.array([frame.ratio for frame in frames])
        median = float(np.median(ratios))
        spread = float(np.std(ratios / median))
        ranges = Breakdown.of(frame.ranges for frame in frames if frame.ranges is not None)
        classes = Breakdown.of(frame.classes for frame in frames if frame.classes is not None)
        return cls(tuple(frames), mean, pooled, median, spread, ranges, classes, len(results) - len(frames))

    def class_average(self, config: EvaluationConfig) -> DepthMetrics | None:
        """Mean over the classes by the configured rule; None without labels."""
        return self.classes.average(config.class_average, config.min_class_pixels)

    def record(self, config: EvaluationConfig, **about: Any) -> dict[str, Any]:
        """All numbers and how they came about, ready for JSON; `about` adds entries (checkpoint, ground truth)."""
        ratios = [frame.ratio for frame in self.frames]
        return {
            **about,
            "protocol": values(config),
            "images": len(self.frames),
            "left_out": self.left_out,
            "pixels": sum(frame.pixels for frame in self.frames),
            "metrics": asdict(self.metrics),
            "pooled": asdict(self.pooled),
            "median_ratio": self.median_ratio,
            "ratio_spread": self.ratio_spread,
            "ratio_range": [min(ratios), max(ratios)],
            "ranges": self.ranges.record(),
            "classes": self.classes.record(config.min_class_pixels),
            "frames": [frame.record() for frame in self.frames],
        }


@dataclass(frozen=True)
class EvaluatedCheckpoint:
    """A checkpoint's evaluation: name in tables, file, 'width x height' of the network's input, and the report."""

    name: str
    path: Path
    size: str
    report: DepthReport

    def record(self, config: EvaluationConfig, **about: Any) -> dict[str, Any]:
        """All numbers, ready for JSON; `about` adds entries."""
        return self.report.record(config, name=self.name, checkpoint=str(self.path), size=self.size, **about)


def notes(evaluated: Sequence[EvaluatedCheckpoint], config: EvaluationConfig) -> list[str]:
    """Lines that say how the numbers came about, and the statistics of scale."""
    report = evaluated[0].report
    scaled = "each scaled by its median" if config.median_scaling else "metres as predicted"
    crop = "Garg crop" if config.crop == "garg" else "whole image"
    flip = ", flip post-processing" if config.flip_post_processing else ""
    extent = f"{config.min_depth:g} to {config.cap:g} m"
    if not config.cap_ground_truth:
        extent = f"truth from {config.min_depth:g} m on, predictions of at most {config.cap:g} m"
    lines = [f"mean over {len(report.frames)} images, {scaled}, {crop}, {extent}{flip}"]
    if report.left_out:
        lines.append(f"left out: {report.left_out} images without truth inside the crop and the depth range")
    averaged = report.classes.averaged(config.min_class_pixels)
    if averaged:
        rule = "over all pixels of a class" if config.class_average == "dataset" else "mean over images with the class"
        lines.append(f"class average: {len(averaged)} classes, {rule}, {report.classes.images} images with labels")
    for each in evaluated:
        of = f" ({each.name})" if len(evaluated) > 1 else ""
        ratio = f"median {each.report.median_ratio:.4f}, spread {each.report.ratio_spread:.4f}"
        lines.append(f"truth / prediction: {ratio} (std / median){of}")
    return lines


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a record as JSON, the whole file or nothing; raises OutputError."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2, allow_nan=False) + "\n", encoding="utf-8")
