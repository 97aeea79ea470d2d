# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""report.md of a run: what was trained on what, how it went, curves and pictures."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from depth_node.atomic_file import replacing
from depth_node.distributed import is_first
from depth_node.training.run.earlier_run import SETTINGS_FILE, read_starts
from depth_node.training.run.metrics_file import COLUMNS, METRICS_FILE, SPEED, read_metrics

REPORT_FILE, CURVES_FILE = "report.md", "curves.png"
FIRST_PICTURE, LATEST_PICTURE = "first.png", "latest.png"
SECONDS_BETWEEN = 60.0
TABLE_ROWS = 12


class Report:
    """The report of a run, written by the first process alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written = -math.inf

    def now_and_then(self) -> None:
        """Write it, at most once a minute."""
        if time.monotonic() - self._written > SECONDS_BETWEEN:
            self.write()

    def write(self) -> None:
        """Write it for what there is."""
        if is_first() and (self.folder / METRICS_FILE).exists():
            write_report(self.folder)
            self._written = time.monotonic()


def write_report(folder: Path) -> None:
    """Write report.md and curves.png from what else is in a run folder; raises OutputError."""
    rows = read_metrics(folder)
    stages = {stage: [row for row in rows if row["stage"] == stage] for stage in ("train", "val")}
    with replacing(folder / CURVES_FILE) as temporary:
        _curves(stages).savefig(temporary, dpi=100)
    lines = [f"# Run {folder.name}", "", *_origin_lines(folder), ""]
    lines += ["## Curves", "", f"![Loss, learning rate and speed over steps]({CURVES_FILE})", ""]
    for stage, title in (("val", "Validation"), ("train", "Training")):
        lines += [f"## {title}", "", *_table(stages[stage]), ""] if stages[stage] else []
    pictures = [(FIRST_PICTURE, "first"), (LATEST_PICTURE, "latest")]
    for file, when in pictures:
        if (folder / file).exists():
            lines += [f"## Images and disparity at the {when} validation", "", f"![{when}]({file})", ""]
    with replacing(folder / REPORT_FILE) as temporary:
        temporary.write_text("\n".join([*lines, *_setting_lines(folder)]) + "\n", encoding="utf-8")


def _origin_lines(folder: Path) -> list[str]:
    starts = read_starts(folder)
    lines = []
    for number, start in enumerate(starts):
        code = f"depth_node {start['version']}"
        if "revision" in start:
            code += f", revision {start['revision']}{' with changes' if start['changed'] else ''}"
        what = "started" if number == 0 else "resumed"
        lines.append(f"- {what} with {start['processes']} process(es) of {code}, torch {start['torch']}")
    if starts:
        data = starts[-1]["data"]
        lines.append(f"- {data['frames']} frames to learn from, their list has SHA-256 {data['frames_sha256']}")
        lines += [f"- manifest of {root}: SHA-256 {sha}" for root, sha in data["manifests_sha256"].items()]
    return lines


def _curves(stages: Mapping[str, Sequence[Mapping[str, str]]]) -> Figure:
    figure = Figure(figsize=(12, 7), layout="constrained")
    loss, error, rate, speed = figure.subplots(2, 2).flatten()
    train, val = stages["train"], stages["val"]
    names = [name for name in ("total", "loss") if any(row.get(name) for row in train)]
    for name in names:
        _draw(loss, train, name, f"training: {name}")
        _draw(loss, val, name, f"validation: {name}", marker="o")
    others = [name for name in (train or val or [{}])[0] if name not in (*COLUMNS, SPEED, *names)]
    for name in others:
        _draw(error, val or train, name, f"{'validation' if val else 'training'}: {name}", marker="o" if val else "")
    _draw(rate, train, "learning_rate", "learning rate")
    _draw(speed, train, SPEED, "samples per second")
    for axes in (loss, error, rate, speed):
        axes.set_xlabel("step")
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(fontsize="small")
    return figure


def _draw(axes: Axes, rows: Sequence[Mapping[str, str]], name: str, label: str, marker: str = "") -> None:
    points = [(int(row["step"]), float(row[name])) for row in rows if row.get(name)]
    # A term that is 0 throughout was not asked for.
    if any(value != 0 for _, value in points):
        axes.plot(*zip(*points, strict=True), label=label, marker=marker, markersize=3, linewidth=1)


def _table(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Markdown table of some rows, evenly over the run, with the last."""
    count = min(TABLE_ROWS, len(rows))
    chosen = [rows[round(number * (len(rows) - 1) / max(count - 1, 1))] for number in range(count)]
    names = [name for name in rows[0] if name != "stage" and any(row[name] for row in chosen)]
    lines = ["| " + " | ".join(names) + " |", "|" + " ---: |" * len(names)]
    return [*lines, *("| " + " | ".join(row[name] for name in names) + " |" for row in chosen)]


def _setting_lines(folder: Path) -> list[str]:
    path = folder / SETTINGS_FILE
    if not path.exists():
        return []
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    lines = [
        "## Settings",
        "",
        f"`--config {SETTINGS_FILE}` takes them again.",
        "",
        "| setting | value |",
        "| --- | --- |",
    ]
    return lines + [f"| {name} | {value} |" for name, value in settings.items()]
