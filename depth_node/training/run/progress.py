# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far a run is and how fast it goes, for people who watch."""

from __future__ import annotations

import sys
import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from depth_node.distributed import is_first


class Speed:
    """Samples that all processes together train on in a second; the clock stands still in validation."""

    def __init__(self) -> None:
        self._seconds, self._samples = 0.0, 0
        self._since = time.monotonic()

    def add(self, samples: int) -> None:
        """Count a step of all processes."""
        self.pause()
        self._samples += samples

    def pause(self) -> None:
        """Count the time until now."""
        now = time.monotonic()
        self._seconds += now - self._since
        self._since = now

    def go_on(self) -> None:
        """Do not count the time since the pause."""
        self._since = time.monotonic()

    def take(self) -> float:
        """The speed since the last take."""
        speed = self._samples / max(self._seconds, 1e-9)
        self._seconds, self._samples = 0.0, 0
        return speed


class StepProgress:
    """One progress bar for the whole run, in the first process; it fits in 80 columns."""

    def __init__(self, steps: int, epochs: int) -> None:
        self._steps = steps
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=8),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("•"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[said]}"),
            disable=not is_first(),
        )
        self._task = self._bar.add_task(f"{epochs} epochs", total=steps, said="")
        self._said: dict[str, float] = {}

    def __enter__(self) -> StepProgress:
        """Show it."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave it as it is."""
        self._bar.stop()

    def note(self, line: str) -> None:
        """Say something on standard error, below the bar."""
        self._bar.stop()
        if is_first():
            print(line, file=sys.stderr)

    def show(self, step: int, **said: float) -> None:
        """Move to a step; numbers stay until others of their name come."""
        self._said |= said
        text = " ".join(f"{name}: {value:.3f}" for name, value in self._said.items())
        self._bar.update(self._task, completed=step, said=text)
