# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The report of a recording: report.html for people, report.png at a glance, report.json for programs.

It is made of the manifest and the files beside it alone, so that it can be made anew at any time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from depth_node.atomic_file import replacing
from depth_node.bags.contact_sheet import BAD, GOOD, INK, Picture, text_line
from depth_node.drawing.html_page import Page, PageTable, Remark, write_page
from depth_node.image_file import write_image
from depth_node.kitti.layout import MANIFEST
from depth_node.recording.manifest import Manifest, read_manifest
from depth_node.recording.report import findings
from depth_node.recording.report.charts import draw_charts
from depth_node.recording.report.findings import Finding, judge, verdict
from depth_node.recording.report.numbers import RecordingNumbers, read_numbers
from depth_node.recording.report.samples import draw_samples

PAGE, PICTURE, RECORD = "report.html", "report.png", "report.json"
MARKS = {findings.POOR: "stop", findings.FAIR: "mind", findings.NOTE: "note", findings.GOOD: "good"}
TINTS = {findings.POOR: "#c83c32", findings.FAIR: "#b8860b", findings.NOTE: "#666", findings.GOOD: "#2e7d32"}


@dataclass(frozen=True)
class RecordingReport:
    """Whether a recording is fit for training.

    Attributes:
        verdict: `good`, `fair` or `poor`.
        findings: what speaks for and against it, the gravest first.
        record: all of it with numbers, JSON-able.
    """

    verdict: str
    findings: tuple[Finding, ...]
    record: dict[str, Any]

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        return findings.VERDICTS[self.verdict]

    @property
    def lines(self) -> list[str]:
        """The verdict and all findings, a line each."""
        return [self.sentence, *(f"  {MARKS[found.level]}: {_line(found)}" for found in self.findings)]


def write_report(folder: Path) -> RecordingReport:
    """Write the three files into a recording's folder.

    Raises:
        SequenceError: the folder holds no recording, or something in it cannot be read.
        OutputError: a file cannot be written.
    """
    manifest = read_manifest(folder / MANIFEST)
    numbers = read_numbers(manifest, folder)
    found = judge(manifest, numbers)
    level = verdict(found)
    report = RecordingReport(level, tuple(found), _record(manifest, numbers, found, level))
    charts, samples = draw_charts(numbers), draw_samples(manifest, folder)
    pictures = {"charts": charts} | ({} if samples is None else {"sample frames": samples})
    with replacing(folder / RECORD) as temporary:
        temporary.write_text(json.dumps(report.record, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    write_image(folder / PICTURE, np.vstack([_head(report, manifest), *pictures.values()]))
    write_page(folder / PAGE, _page(report, manifest, pictures))
    return report


def _record(manifest: Manifest, numbers: RecordingNumbers, found: list[Finding], level: str) -> dict[str, Any]:
    parallax, rotation = numbers.of_kept(numbers.parallax), numbers.of_kept(numbers.rotation)
    speeds = [track.speeds for track in numbers.tracks.values()]
    return {
        "verdict": level,
        "sentence": findings.VERDICTS[level],
        "findings": [asdict(finding) for finding in found],
        "pictures": numbers.counts,
        "train": manifest.train,
        "val": manifest.val,
        "drives": list(numbers.drives),
        "seconds": round(float(numbers.seconds[-1]), 3) if len(numbers.seconds) else 0.0,
        "way_m": round(numbers.way, 2),
        "parallax_percent": _spread(parallax),
        "rotation_degrees": _spread(rotation),
        "interval_s": _spread(numbers.intervals),
        "speed_m_s": _spread(np.concatenate(speeds) if speeds else np.zeros(0)),
        "side": {drive.folder: drive.side for drive in manifest.drives if drive.side},
    }


def _spread(values: Any) -> dict[str, float] | None:
    """The tenth, middle and ninth tenth of values; None where there are none."""
    if not len(values):
        return None
    low, middle, high = np.percentile(values, (10, 50, 90))
    return {"p10": round(float(low), 4), "median": round(float(middle), 4), "p90": round(float(high), 4)}


def _line(found: Finding) -> str:
    return f"{found.text}. {found.advice[:1].upper()}{found.advice[1:]}." if found.advice else f"{found.text}."


def _title(manifest: Manifest) -> str:
    names = ", ".join(bag.name for bag in manifest.bags[:3])
    return f"{names} and {len(manifest.bags) - 3} more" if len(manifest.bags) > 3 else names


def _head(report: RecordingReport, manifest: Manifest) -> Picture:
    colour = {findings.POOR: BAD, findings.GOOD: GOOD}.get(report.verdict, INK)
    lines = [text_line(f"Recording of {_title(manifest)}", 0.6), text_line(report.sentence, 1.1, colour)]
    for found in report.findings:
        words, row = f"{MARKS[found.level]}: {_line(found)}".split(), ""
        for word in words:
            if len(row) + len(word) > 150:
                lines.append(text_line(row, 0.5))
                row = "     "
            row = f"{row} {word}" if row else word
        lines.append(text_line(row, 0.5))
    return np.vstack(lines)


def _page(report: RecordingReport, manifest: Manifest, pictures: dict[str, Picture]) -> Page:
    drives = [
        (
            drive.folder,
            drive.bag,
            len(drive.frames),
            len(drive.dropped),
            drive.begins or "the bag begins",
            ", ".join(drive.side) or "pictures only",
        )
        for drive in manifest.drives
    ]
    columns = ("folder", "bag", "frames", "dropped", "begins because", "beside the pictures")
    return Page(
        title=f"Recording of {_title(manifest)}",
        sentence=report.sentence,
        tone=TINTS[report.verdict],
        remarks=[Remark(MARKS[found.level], TINTS[found.level], _line(found)) for found in report.findings],
        pictures=pictures,
        tables=[PageTable("drives", columns, drives)],
    )
