# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM end a run between two steps, when its state is one that it can be resumed from exactly."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from depth_node.distributed import largest, world_size


class RunInterrupted(SystemExit):
    """Ends the process as a shell expects it after a signal: with 128 and the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


class Signals:
    """Inside `with`, signals are noted; a second Ctrl-C does not wait for the step, and nothing is saved then."""

    def __init__(self) -> None:
        self._number = 0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        """Take the signals."""
        if threading.current_thread() is threading.main_thread():  # they are its alone
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def end_if_asked(self) -> None:
        """End the run in all processes if a signal has reached one of them; raises RunInterrupted."""
        number = largest(self._number)
        if number:
            raise RunInterrupted(number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        # A terminal's Ctrl-C reaches processes of torchrun twice, by themselves and by torchrun.
        again = self._number == signal.SIGINT == number and world_size() == 1
        self._number = number
        if again:
            signal.default_int_handler(number, frame)
