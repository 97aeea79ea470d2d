# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The report of a resampling: resampled.json for programs, report.html for people, report.png at a glance."""

from __future__ import annotations

import base64
import html
import json
from pathlib import Path

import numpy as np

from depth_node.atomic_file import replacing
from depth_node.bags.contact_sheet import Picture, text_line
from depth_node.image_file import encode_image
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
    with replacing(folder / PICTURE) as temporary:
        temporary.write_bytes(encode_image(np.vstack([head, *pictures.values()])))
    with replacing(folder / PAGE) as temporary:
        temporary.write_text(_page(report, pictures), encoding="utf-8")


def _page(report: ResampleReport, pictures: dict[str, Picture]) -> str:
    images = "".join(
        f"<h2>{name}</h2><img alt='{name}' style='max-width:100%' "
        f"src='data:image/png;base64,{base64.b64encode(encode_image(picture)).decode('ascii')}'>"
        for name, picture in pictures.items()
    )
    drives = dict.fromkeys(reference.folder for reference in report.references)
    pairs = list(zip(report.references, report.verdicts, strict=True))
    rows = ""
    for drive in drives:
        verdicts = [verdict for reference, verdict in pairs if reference.folder == drive]
        dropped = sum(verdict.dropped for verdict in verdicts)
        rows += f"<tr><td>{html.escape(drive)}<td>{len(verdicts)}<td>{dropped}<td>{dropped / len(verdicts):.0%}"
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Resampling</title>"
        "<style>body{font-family:sans-serif;max-width:90em;margin:2em auto;padding:0 1em;color:#222}"
        "td,th{padding:.2em .8em;text-align:left;border-bottom:1px solid #ddd}</style>"
        f"<p>Two-stage training: resampling by {html.escape(report.checkpoint)}"
        f"<h1>{html.escape(report.sentence)}</h1>"
        f"<p>A frame is dropped when more than {report.allowed:g} of its {report.size[1]} x {report.size[0]} pixels "
        f"lie significantly below the ground plane. All verdicts are in {RECORD}.{images}"
        f"<h2>drives</h2><table><tr><th>drive<th>frames<th>dropped<th>share{rows}</table></html>\n"
    )
