# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and SIGTERM end a run between two steps, when its state is one that it can be resumed from exactly."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import lightning
from lightning.pytorch.callbacks import Callback

from depth_node.distributed import is_first, largest, world_size
from depth_node.training.run.resuming import validation_due


class RunInterrupted(SystemExit):
    """Ends the process as a shell expects it after a signal: with 128 and the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)


class StopBetweenSteps(Callback):
    """Ends the run in all processes after the step in which a signal reaches one of them.

    A second Ctrl-C does not wait for the step; nothing is saved then. Put this callback behind every one that writes.
    """

    def __init__(self) -> None:
        self._number = 0
        self._before: dict[int, Any] = {}

    def on_train_start(self, *_: Any) -> None:
        """Take the place of Lightning's handlers, which would end a run in the middle of a step."""
        if threading.current_thread() is not threading.main_thread():
            return  # signals are the main thread's
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """End the run if any process is to end, but not before the last validation; raises RunInterrupted."""
        if trainer.global_step < trainer.max_steps or not validation_due(trainer):
            self._end_if_asked()

    def on_validation_batch_end(self, trainer: lightning.Trainer, *_: Any) -> None:
        """One process need not wait for the end of a validation, which a resumed run does again; a last one it must."""
        if world_size() == 1 and trainer.global_step < trainer.max_steps:
            self._end_if_asked()

    def on_validation_end(self, *_: Any) -> None:
        """Several processes must."""
        self._end_if_asked()

    def on_exception(self, trainer: lightning.Trainer, _: Any, exception: BaseException) -> None:
        """Say what has become of the run."""
        if isinstance(exception, RunInterrupted) and is_first():
            print(f"interrupted at step {trainer.global_step}, which is saved: add --resume to go on", file=sys.stderr)

    def teardown(self, *_: Any, **__: Any) -> None:
        """Give the signals back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()

    def _end_if_asked(self) -> None:
        number = largest(self._number)
        if number:
            raise RunInterrupted(number)

    def _note(self, number: int, frame: FrameType | None) -> None:
        # A terminal's Ctrl-C reaches processes of torchrun twice, by themselves and by torchrun.
        again = self._number == signal.SIGINT == number and world_size() == 1
        self._number = number
        handler: Callable[..., Any] = signal.default_int_handler
        if again:
            handler(number, frame)
