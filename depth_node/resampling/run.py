# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Resampling as people run it: with a progress bar, and all results written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from depth_node import distributed
from depth_node.config.resampling import ResamplingConfig
from depth_node.errors import OutputError
from depth_node.kitti.layout import MANIFEST, FrameReference
from depth_node.resampling.judgements import forget
from depth_node.resampling.report_page import write_report
from depth_node.resampling.resample import resample, write_splits
from depth_node.resampling.verdict import ResampleReport


def resample_with_progress(
    checkpoint: Path,
    root: Path,
    train: Sequence[FrameReference],
    val: Sequence[FrameReference],
    config: ResamplingConfig,
    folder: Path,
) -> ResampleReport | None:
    """Judge frames, then write split files and report.

    Args:
        checkpoint: the network of stage 1.
        root: folder that the drives are relative to.
        train: the training frames.
        val: the validation frames, passed on as they are.
        config: how to judge.
        folder: of the results.

    Returns:
        The report in the first process, None in the others. All return when everything is written.

    Raises:
        TrainingError: hardly any frame would be left; the report is written all the same.
        DepthNodeError: something cannot be read or written.
    """
    if (folder / MANIFEST).exists():
        raise OutputError(f"{folder} is a recording, whose report would be lost: choose another --output")
    columns = (TextColumn("resampling"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not distributed.is_first()) as bar:
        task = bar.add_task("resampling", total=None)
        report = resample(
            checkpoint, root, train, config, folder, lambda done, total: bar.update(task, completed=done, total=total)
        )
    if report is not None:
        write_report(report, checkpoint, root, folder)
        write_splits(report, val, folder)
        forget(folder)
    distributed.wait_for_all()
    return report
