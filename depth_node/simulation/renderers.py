# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that render, each on a core of its own; what they make comes in order, a bounded number ahead."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.sharedctypes import Synchronized
from typing import TypeVar

import cv2

from depth_node.errors import SimulationError

Item = TypeVar("Item")
Made = TypeVar("Made")


def render_in_order(
    render: Callable[[Item], Made],
    items: Iterable[Item],
    workers: int,
    ahead: int,
    advice: str,
    prepare: Callable[..., None] | None = None,
    arguments: tuple[object, ...] = (),
) -> Iterator[Made]:
    """What `render` makes of each item, in the items' order; how many processes there are changes nothing.

    Args:
        render: a function of a module, called in the processes.
        items: what to render.
        workers: processes.
        ahead: items in flight per process: bounds the memory when the results are used more slowly than they are made.
        advice: what to do where a process died, for the message.
        prepare: called once in each process, with `arguments`.
        arguments: see `prepare`.

    Raises:
        SimulationError: a rendering process died.
    """
    context = multiprocessing.get_context("spawn")
    turn = context.Value("i", 0)
    with ProcessPoolExecutor(workers, context, _start, (turn, prepare, arguments)) as pool:
        waiting: list[Future[Made]] = []
        try:
            for item in items:
                waiting.append(pool.submit(render, item))
                if len(waiting) > workers * ahead:
                    yield waiting.pop(0).result()
            while waiting:
                yield waiting.pop(0).result()
        except BrokenProcessPool:
            raise SimulationError(f"a rendering process died: is the memory full? {advice}") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _start(turn: Synchronized[int], prepare: Callable[..., None] | None, arguments: tuple[object, ...]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells when to stop
    with turn.get_lock():
        number, turn.value = turn.value, turn.value + 1
    if hasattr(os, "sched_setaffinity"):
        # The ray tracer starts as many threads as it sees cores, in every process.
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[-1 - number % len(cores)]})
    cv2.setNumThreads(1)
    if prepare is not None:
        prepare(*arguments)
