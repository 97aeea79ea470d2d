# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What became of a night, on a page that is read in a minute: the verdict, the errors, some pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.drawing.colorize import colorize_depth, depth_limits
from depth_node.drawing.html_page import Page, PageTable, write_page
from depth_node.improvement.comparison import Pair
from depth_node.improvement.decision import Verdict
from depth_node.inference.estimator import DepthEstimator

REPORT_FILE = "improve.html"
PROMOTED_TONE, REFUSED_TONE = "#1a7f37", "#b3261e"
SHOWN_WIDTH = 480


def write_night(
    folder: Path, verdict: Verdict, pictures: Sequence[NDArray[np.uint8]], start: Path, promoted: Path | None
) -> Path:
    """Write the page; returns its path. Raises OutputError.

    Args:
        folder: of the night.
        verdict: its outcome.
        pictures: rows of camera, present depth and new depth.
        start: the present checkpoint.
        promoted: the new one, where it is better.
    """
    rows = [
        (each.what, each.where, f"{each.old:.4f}", f"{each.new:.4f}", f"{each.change:+.1%}", each.count)
        for each in verdict.measured
    ]
    tables = [PageTable("errors on held-back pictures", ("error", "recording", "now", "new", "change", "of"), rows)]
    drive = f"ros2 launch depth_node depth.launch.py checkpoint:={promoted}" if promoted else ""
    page = Page(
        title=f"a night of {start.name}",
        sentence=verdict.sentence,
        tone=PROMOTED_TONE if verdict.promoted else REFUSED_TONE,
        texts=["from left to right: camera, depth of the present network, depth of the new one"] if pictures else [],
        pictures={f"held-back picture {number}": picture for number, picture in enumerate(pictures, 1)},
        tables=tables if rows else [],
        commands=drive,
    )
    write_page(folder / REPORT_FILE, page)
    return folder / REPORT_FILE


def side_by_side(old: DepthEstimator, new: DepthEstimator, pairs: Sequence[Pair]) -> list[NDArray[np.uint8]]:
    """Camera, present depth and new depth of the first pictures of pairs, in the same colours."""
    rows = []
    for sequence, frame, _ in pairs:
        image = sequence.calibrated_image(frame)
        depths = [estimator.estimate(image, sequence.K).depth.cpu().numpy() for estimator in (old, new)]
        near, far = depth_limits(depths[0])
        height = round(SHOWN_WIDTH * image.shape[0] / image.shape[1])
        parts = [image, *(colorize_depth(depth, near, far) for depth in depths)]
        shown = [np.asarray(cv2.resize(part, (SHOWN_WIDTH, height)), np.uint8) for part in parts]
        rows.append(np.hstack(shown))
    return rows
