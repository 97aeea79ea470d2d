# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Results as tables, for the terminal and as markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from depth_node.atomic_file import replacing
from depth_node.config.evaluation import EvaluationConfig
from depth_node.evaluation.breakdown import Breakdown
from depth_node.evaluation.metrics import DepthMetrics
from depth_node.evaluation.published import EIGEN_IMAGES, PUBLISHED
from depth_node.evaluation.report import EvaluatedCheckpoint

METRICS = tuple(field.name for field in fields(DepthMetrics))
NONE = "-"
PROTOCOL = ("median_scaling", "min_depth", "cap", "cap_ground_truth", "crop", "velodyne_depth", "flip_post_processing")
"""Settings whose defaults are those of the papers' tables."""


@dataclass(frozen=True)
class TextTable:
    """A table whose first column names the rows and whose other columns are numbers."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def rich(self) -> Table:
        """For the terminal; a line is never broken into two."""
        table = Table(title=self.title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
        for number, heading in enumerate(self.headings):
            table.add_column(heading, justify="right" if number else "left", no_wrap=True)
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """GitHub's form, with the title as a paragraph above."""
        lines = [self.headings, ("---", *("---:",) * (len(self.headings) - 1)), *self.rows]
        cells = (" | ".join(cell.replace("|", "\\|") for cell in line) for line in lines)
        return f"{self.title}\n\n" + "".join(f"| {line} |\n" for line in cells)


def distinct_names(paths: Sequence[Path]) -> list[str]:
    """The shortest ends of different checkpoint paths that tell them apart: 'a/last', 'b/last'."""
    plain = [path.with_suffix("") if path.suffix == ".safetensors" else path for path in paths]
    longest = max((len(path.parts) for path in plain), default=0)
    for length in range(1, longest + 1):
        names = ["/".join(path.parts[-length:]) for path in plain]
        if len(set(names)) == len(names):
            return names
    return [str(path) for path in paths]


def metrics_table(evaluated: Sequence[EvaluatedCheckpoint], config: EvaluationConfig, title: str) -> TextTable:
    """The seven metrics, one row per checkpoint, and the class average of abs_rel where there are labels."""
    averages = [each.report.class_average(config) for each in evaluated]
    with_classes = any(average is not None for average in averages)
    rows = []
    for each, average in zip(evaluated, averages, strict=True):
        last = (f"{average.abs_rel:.4f}" if average else NONE,) if with_classes else ()
        rows.append((each.name, *_numbers(each.report.metrics), *last))
    return TextTable(title, ("", *METRICS, *(("class abs_rel",) if with_classes else ())), tuple(rows))


def class_table(evaluated: Sequence[EvaluatedCheckpoint], config: EvaluationConfig) -> TextTable:
    """Metrics per class; of several checkpoints abs_rel, one column per class."""
    parts = {each.name: each.report.classes for each in evaluated}
    return _parts_table(parts, "class", config.class_average, config.min_class_pixels)


def range_table(evaluated: Sequence[EvaluatedCheckpoint], config: EvaluationConfig) -> TextTable:
    """Metrics per range of measured depth; of several checkpoints abs_rel, one column per range."""
    parts = {each.name: each.report.ranges for each in evaluated}
    pixels = sum(frame.pixels for frame in evaluated[0].report.frames)  # some may be in no range
    return _parts_table(parts, "range", config.class_average, 1, pixels)


def published_tables(evaluated: Sequence[EvaluatedCheckpoint], data: str) -> list[TextTable]:
    """The papers' tables with ours in the last rows; `data` says what ours was measured on."""
    ours = [(f"ours: {each.name}", NONE, each.size, data, *_numbers(each.report.metrics, 3)) for each in evaluated]
    headings = ("", "sup", "size", "data", *METRICS)
    tables = []
    for table in PUBLISHED:
        rows = [
            (row.method, row.supervision or NONE, row.size or NONE, row.data or NONE, *_numbers(row.metrics, 3))
            for row in table.rows
        ]
        tables.append(TextTable(f"{table.name} ({table.source})", headings, (*rows, *ours)))
    return tables


def comparability(evaluated: Sequence[EvaluatedCheckpoint], config: EvaluationConfig, truth: str) -> str:
    """One line that says how our rows differ from the papers' protocol."""
    images = len(evaluated[0].report.frames)
    differences = [] if images == EIGEN_IMAGES else [f"{images} images instead of {EIGEN_IMAGES}"]
    if truth != "lidar scans":
        differences.append(f"{truth} instead of lidar scans")
    papers = EvaluationConfig()
    for name in PROTOCOL:
        if getattr(config, name) != getattr(papers, name):
            differences.append(f"{name} {getattr(config, name)}")
    if not differences:
        return "same protocol and number of images as the papers' Eigen tables"
    return f"not to be compared with the papers' Eigen tables one to one: {', '.join(differences)}"


def write_markdown(path: Path, tables: Sequence[TextTable], notes: Sequence[str]) -> None:
    """Write tables and the lines that explain them, the whole file or nothing; raises OutputError."""
    text = "\n".join([*(table.markdown() for table in tables), *(f"* {note}" for note in notes if note)])
    with replacing(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def _parts_table(
    parts: Mapping[str, Breakdown], kind: str, rule: str, min_pixels: int, pixels: int | None = None
) -> TextTable:
    title = f"per {kind}, " + ("over all its pixels" if rule == "dataset" else "mean over images")
    if len(parts) == 1:
        return _one(next(iter(parts.values())), title, kind, rule, min_pixels, pixels)
    names = list(dict.fromkeys(part.name for breakdown in parts.values() for part in breakdown.parts))
    rows = []
    for name, breakdown in parts.items():
        found = {part.name: f"{part.by(rule).abs_rel:.4f}" for part in breakdown.parts}
        average = breakdown.average(rule, min_pixels)
        rows.append((name, *(found.get(each, NONE) for each in names), f"{average.abs_rel:.4f}" if average else NONE))
    return TextTable(f"abs_rel {title}", ("", *names, "average"), tuple(rows))


def _one(
    breakdown: Breakdown, title: str, kind: str, rule: str, min_pixels: int, pixels: int | None = None
) -> TextTable:
    total = pixels or sum(part.pixels for part in breakdown.parts)
    rows = [
        (part.name, f"{part.pixels / total:.2%}", str(part.images), *_numbers(part.by(rule)))
        for part in breakdown.parts
    ]
    average = breakdown.average(rule, min_pixels)
    if average is not None:
        rows.append(("average", "", str(breakdown.images), *_numbers(average)))
    return TextTable(title, (kind, "pixels", "images", *METRICS), tuple(rows))


def _numbers(metrics: DepthMetrics, digits: int = 4) -> tuple[str, ...]:
    return tuple(f"{value:.{digits}f}" for value in astuple(metrics))
