# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Charts of a resampling: how many pixels lie below ground in how many frames, and when."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from depth_node.bags.contact_sheet import Picture
from depth_node.resampling.verdict import DROPPED, KEPT, NO_PLANE, ResampleReport

COLOURS = {KEPT: "#3a7abd", DROPPED: "#c62828", NO_PLANE: "#b8b8b8"}
BINS = 40
FEW = 10.0
"""Frames in the highest bar up to which bars are drawn in proportion."""
DPI, WIDTH, HEIGHT = 100, 1440, 620
"""Pixels."""


def draw_charts(report: ResampleReport) -> Picture:
    """Both charts: (620, 1440, 3) uint8 RGB."""
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1)
    _histogram(upper, report)
    _over_time(lower, report)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return np.asarray(Image.open(buffer).convert("RGB"), np.uint8)


def _histogram(axes: Axes, report: ResampleReport) -> None:
    counts = np.array([verdict.below for verdict in report.verdicts])
    decisions = np.array([verdict.decision for verdict in report.verdicts])
    # Counts span some powers of ten; 0 stands in the first bar.
    edges = np.concatenate([[0.0], np.geomspace(1.0, max(counts.max(), 10) + 1, BINS)])
    parts = [name for name in COLOURS if (decisions == name).any()]
    axes.hist(
        [counts[decisions == name] for name in parts],
        edges.tolist(),
        stacked=True,
        color=[COLOURS[name] for name in parts],
        label=[f"{name} ({(decisions == name).sum()})" for name in parts],
    )
    axes.axvline(report.allowed, color="black", linewidth=1)
    axes.set_xscale("symlog", linthresh=1.0)
    if axes.get_ylim()[1] > FEW:
        axes.set_yscale("symlog", linthresh=FEW)
    else:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_title(f"frames by pixels below ground (line: {report.allowed:g} allowed)", loc="left")
    axes.legend(frameon=False)


def _over_time(axes: Axes, report: ResampleReport) -> None:
    for name, colour in COLOURS.items():
        places = [place for place, verdict in enumerate(report.verdicts) if verdict.decision == name]
        axes.vlines(places, 0, [report.verdicts[place].below for place in places], color=colour, linewidth=1)
        axes.plot(places, [report.verdicts[place].below for place in places], ".", color=colour, markersize=3)
    folders = [reference.folder for reference in report.references]
    for place in range(1, len(folders)):
        if folders[place] != folders[place - 1]:
            axes.axvline(place - 0.5, color="#dddddd", linewidth=1, zorder=0)
    axes.axhline(report.allowed, color="black", linewidth=1)
    axes.set_yscale("symlog", linthresh=max(report.allowed, 1.0))
    axes.set_ylim(bottom=0)
    axes.set_xlim(-1, len(folders))
    axes.set_title("pixels below ground, frame by frame (grey: the next drive)", loc="left")
