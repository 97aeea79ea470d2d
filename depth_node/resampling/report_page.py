# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The report of a resampling: resampled.json for programs, report.html for people, report.png at a glance."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from depth_node.atomic_file import replacing
from depth_node.bags.contact_sheet import Picture, text_line
from depth_node.drawing.html_page import Page, PageTable, write_page
from depth_node.image_file import write_image
from depth_node.resampling.charts import draw_charts
from depth_node.resampling.verdict import ResampleReport
from depth_node.resampling.worst_frames import draw_worst

RECORD, PAGE, PICTURE = "resampled.json", "report.html", "report.png"


def write_report(report: ResampleReport, checkpoint: Path, root: Path, folder: Path) -> None:
    """Write the three files.

    Args:
        report: all verdicts.
        checkpoint: the network that judged; it predicts the drawn frames again.
        root: folder that the drives are relative to.
        folder: to write to.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        SequenceError: a frame cannot be read.
        OutputError: a file cannot be written.
    """
    with replacing(folder / RECORD) as temporary:
        temporary.write_text(json.dumps(report.record(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    pictures = {"pixels below ground": draw_charts(report)}
    worst = draw_worst(report, checkpoint, root)
    if worst is not None:
        pictures["worst frames: picture, depth, pixels below ground in red"] = worst
    head = np.vstack([text_line("Two-stage training: resampling", 0.6), text_line(report.sentence, 1.0)])
    write_image(folder / PICTURE, np.vstack([head, *pictures.values()]))
    write_page(folder / PAGE, _page(report, pictures))


def _page(report: ResampleReport, pictures: dict[str, Picture]) -> Page:
    pairs = list(zip(report.references, report.verdicts, strict=True))
    rows = []
    for drive in dict.fromkeys(reference.folder for reference in report.references):
        verdicts = [verdict for reference, verdict in pairs if reference.folder == drive]
        dropped = sum(verdict.dropped for verdict in verdicts)
        rows.append((drive, len(verdicts), dropped, f"{dropped / len(verdicts):.0%}"))
    rule = (
        f"A frame is dropped when more than {report.allowed:g} of its {report.size[1]} x {report.size[0]} pixels "
        f"lie significantly below the ground plane. All verdicts are in {RECORD}."
    )
    return Page(
        title=f"Two-stage training: resampling by {report.checkpoint}",
        sentence=report.sentence,
        texts=[rule],
        pictures=pictures,
        tables=[PageTable("drives", ("drive", "frames", "dropped", "share"), rows)],
    )
