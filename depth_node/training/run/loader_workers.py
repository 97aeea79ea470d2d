# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that read pictures while the training process computes."""

from __future__ import annotations

import signal
from types import FrameType

SECONDS_LEFT = 30.0
"""How long a signal lets them live: long enough for the step that a run finishes before it saves."""


def outlast_signals(_: int) -> None:
    """Let a loader's process, given as its `worker_init_fn`, serve the step at which a run is ended.

    A terminal, torchrun and job queues signal all processes of a run at once. Were its readers gone, the run could
    neither finish its step nor be saved. They end when the training process tells them to or has gone, and at the
    latest some time after the signal.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave_later)


def _leave_later(_: int, __: FrameType | None) -> None:
    signal.setitimer(signal.ITIMER_REAL, SECONDS_LEFT)  # SIGALRM then ends the process
