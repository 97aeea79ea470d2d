# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Charts of a recording: what was kept and dropped when, parallax, rate, quality, the way driven."""

from __future__ import annotations

import io

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from depth_node.recording.report.findings import LITTLE_PARALLAX, MUCH_PARALLAX
from depth_node.recording.report.numbers import KEPT, Floats, RecordingNumbers

Picture = NDArray[np.uint8]
COLOURS = {
    KEPT: "#3a7abd",
    "static": "#b8b8b8",
    "little parallax": "#d9d2c0",
    "rotation": "#c58bd6",
    "blurred": "#e8a33d",
    "dark": "#4a4a4a",
    "bright": "#f2d544",
    "duplicate": "#8fa3a8",
    "stamp": "#e57373",
    "rate": "#cfe3f5",
    "damaged": "#c62828",
    "short": "#8d6e63",
}
OTHER = "#000000"
BINS, PER_BIN = 120, 5
"""Most bars over time, and fewest pictures in one."""
DPI = 100
WIDTH = 1440
"""Pixels."""


def draw_charts(numbers: RecordingNumbers) -> Picture:
    """All charts: (H, 1440, 3) uint8 RGB."""
    figure = Figure(figsize=(WIDTH / DPI, 10.4), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(3, 3, height_ratios=(1.0, 1.0, 1.5))
    _over_time(figure.add_subplot(grid[0, :]), numbers)
    _reasons(figure.add_subplot(grid[1, 0]), numbers)
    _parallax(figure.add_subplot(grid[1, 1]), numbers)
    _rate(figure.add_subplot(grid[1, 2]), numbers)
    _track(figure.add_subplot(grid[2, :2]), figure, numbers)
    quality = grid[2, 2].subgridspec(3, 1)
    curves = (
        ("sharpness (1: usual)", numbers.sharpness),
        ("brightness (0 to 255)", numbers.brightness),
        ("degrees to the frame before", numbers.rotation),
    )
    for row, (title, values) in enumerate(curves):
        _curve(figure.add_subplot(quality[row]), title, numbers, values, last=row == len(curves) - 1)
    return _pixels(figure)


def _over_time(axes: Axes, numbers: RecordingNumbers) -> None:
    edges = _edges(numbers.seconds)
    categories = np.array(numbers.categories)
    below = np.zeros(len(edges) - 1)
    for name in numbers.counts:
        if name != KEPT and not (categories == name).any():
            continue
        counts, _ = np.histogram(numbers.seconds[categories == name], edges)
        rate = counts / np.diff(edges)
        axes.bar(
            edges[:-1],
            rate,
            np.diff(edges),
            below,
            align="edge",
            color=COLOURS.get(name, OTHER),
            label=name,
            linewidth=0,
        )
        below = below + rate
    axes.set_title("pictures per second: kept, and dropped for a reason", loc="left")
    axes.set_xlabel("seconds of recording")
    axes.set_xlim(edges[0], edges[-1])
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=9)


def _edges(seconds: Floats) -> Floats:
    """Bars as wide as a whole number of usual intervals, so that an even rate is drawn even."""
    steps = np.diff(seconds)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0
    end = float(seconds[-1]) if len(seconds) else 0.0
    width = step * max(np.ceil(end / step / BINS), PER_BIN)
    return np.arange(-step / 2, end + width, width)


def _reasons(axes: Axes, numbers: RecordingNumbers) -> None:
    counts = numbers.counts
    names = list(counts)[::-1]
    bars = axes.barh(names, [counts[name] for name in names], color=[COLOURS.get(name, OTHER) for name in names])
    total = max(len(numbers.categories), 1)
    axes.bar_label(bars, [f" {counts[name]} ({counts[name] / total:.0%})" for name in names], fontsize=9)
    axes.set_title("pictures by reason", loc="left")
    axes.set_xlim(0, max(counts.values()) * 1.35 + 1)
    axes.set_xticks([])


def _parallax(axes: Axes, numbers: RecordingNumbers) -> None:
    values = numbers.of_kept(numbers.parallax)
    axes.set_title("parallax between kept frames", loc="left")
    axes.set_xlabel("% of the picture's width (green: good)")
    if not len(values):
        return _empty(axes, "not measured")
    end = max(float(np.percentile(values, 99)) * 1.2, 2 * LITTLE_PARALLAX)
    axes.axvspan(LITTLE_PARALLAX, min(MUCH_PARALLAX, end), color="#e3f3e1")
    axes.hist(values.clip(0, end), 40, range=(0, end), color=COLOURS[KEPT])
    axes.axvline(float(np.median(values)), color="black", linewidth=1)
    axes.set_xlim(0, end)
    return None


def _rate(axes: Axes, numbers: RecordingNumbers) -> None:
    axes.set_title("time between kept frames", loc="left")
    axes.set_xlabel("ms")
    if not len(numbers.intervals):
        return _empty(axes, "no frames in a row")
    values = 1e3 * numbers.intervals
    end = max(float(np.percentile(values, 99)) * 1.2, 2 * float(np.median(values)))
    axes.hist(values.clip(0, end), 40, range=(0, end), color=COLOURS[KEPT])
    middle = float(np.median(values))
    axes.axvline(middle, color="black", linewidth=1)
    axes.text(middle, axes.get_ylim()[1] * 0.95, f"  {middle:.0f} ms, {1e3 / middle:.3g} Hz", va="top", fontsize=9)
    axes.set_xlim(0, end)
    return None


def _track(axes: Axes, figure: Figure, numbers: RecordingNumbers) -> None:
    axes.set_title(f"way driven: {numbers.way:.0f} m", loc="left")
    if not numbers.tracks:
        axes.set_title("way driven", loc="left")
        return _empty(axes, "no odometry or GNSS in the bag")
    fastest = max(float(track.speeds.max()) for track in numbers.tracks.values())
    for folder, track in numbers.tracks.items():
        x, y = track.metres.T
        axes.plot(x, y, color="#c9c9c9", linewidth=1, zorder=1)
        dots = axes.scatter(x, y, 9, track.speeds, cmap="viridis", vmin=0, vmax=max(fastest, 0.1), zorder=2)
        axes.annotate(
            f"drive {folder[-9:-5]}", (x[0], y[0]), xytext=(4, 8), textcoords="offset points", fontsize=9,
            arrowprops={"arrowstyle": "-", "linewidth": 0.5},
        )  # fmt: skip
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("m (each drive from its own beginning)")
    figure.colorbar(dots, ax=axes, label="m/s", shrink=0.8)
    return None


def _curve(axes: Axes, title: str, numbers: RecordingNumbers, values: Floats, last: bool) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlim(0, max(float(numbers.seconds[-1]), 1e-3) if len(numbers.seconds) else 1.0)
    if not np.isfinite(values).any():
        return _empty(axes, "not measured")
    axes.plot(numbers.seconds, values, ".", color="#7a7a7a", markersize=2)
    axes.set_ylim(0, 1.15 * max(float(np.nanmax(values)), 1e-3))
    if last:
        axes.set_xlabel("seconds of recording")
    else:
        axes.set_xticklabels([])
    return None


def _empty(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color="#888888")
    axes.set_xticks([])
    axes.set_yticks([])


def _pixels(figure: Figure) -> Picture:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    image = cv2.imdecode(np.frombuffer(buffer.getvalue(), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
