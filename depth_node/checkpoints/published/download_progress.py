# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far a download is: a bar in a terminal, else a line for each quarter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from depth_node.checkpoints.published.download import Watch
from depth_node.distributed import is_first

PARTS = 4


@contextmanager
def watching(name: str, say: Callable[[str], object], bar: bool) -> Iterator[Watch]:
    """What a download tells how far it is.

    Args:
        name: what is downloaded.
        say: takes the lines, where there is no bar.
        bar: show one on standard error, if that is a terminal.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    if not (bar and console.is_terminal and is_first()):
        yield _Lines(name, say)
        return
    columns = (BarColumn(bar_width=20), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), *columns, console=console, transient=True) as shown:
        task = shown.add_task(name, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total or None)


class _Lines:
    """Says each quarter once."""

    def __init__(self, name: str, say: Callable[[str], object]) -> None:
        self._name, self._say, self._said = name, say, 0

    def __call__(self, done: int, total: int) -> None:
        """Note how far it is; without a total there is nothing to say."""
        part = PARTS * done // total if total else 0
        if self._said < part < PARTS:
            self._said = part
            self._say(f"{self._name}: {100 * part // PARTS} % of {total / 1e6:.1f} MB")
