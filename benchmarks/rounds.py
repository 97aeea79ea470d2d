# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What benchmarks beside this file share: calls in turns, by the clock and by the processor; memory; how costs grow."""

from __future__ import annotations

import ctypes
import gc
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from depth_node.allocator import resident_memory
from depth_node.atomic_file import replacing

DISCARDED = 2
"""First rounds, in which memory is allocated and code is compiled, that do not count."""
TOLERANCE = 0.1
"""An exponent counts as more than 1 only beyond this: a busy machine moves it by some hundredths from run to run."""
MIB = 2**20


class Cost(NamedTuple):
    """Milliseconds of a call by the clock, and of all cores of this process together."""

    wall: float
    cpu: float


class Memory(NamedTuple):
    """MiB of a process that does one thing only: at its peak, and how much of it came with the work itself."""

    peak: float
    added: float


@dataclass(frozen=True)
class Growth:
    """How a cost grows with an amount: as its power.

    Attributes:
        exponent: of the best power through the medians, 1 where twice as much costs twice as much.
        low: the same by single rounds, of which a tenth is lower.
        high: the same, a tenth is higher.
        last: between the two largest amounts alone, where a fixed cost no longer hides much.
        last_low: the same by single rounds, of which a tenth is lower.
    """

    exponent: float
    low: float
    high: float
    last: float
    last_low: float

    @property
    def is_faster_than_linear(self) -> bool:
        """Whether more is out of proportion, over all or at the end, and in nearly all rounds."""
        pairs = ((self.exponent, self.low), (self.last, self.last_low))
        return any(value > 1 + TOLERANCE and low > 1 for value, low in pairs)


def in_turns(
    calls: Mapping[str, Callable[[], object]],
    rounds: int,
    repeats: int = 1,
    wait: Callable[[], object] = lambda: None,
) -> dict[str, list[Cost]]:
    """The cost of each call in each round, in an order that is drawn for every round.

    Args:
        calls: by name.
        rounds: that count; `DISCARDED` more come before.
        repeats: how often in a row for one number, their mean; for what is quicker than a clock.
        wait: returns once a device has done what it was given.
    """
    costs: dict[str, list[Cost]] = {name: [] for name in calls}
    order, draw = list(calls.items()), np.random.default_rng(0)
    for number in range(-DISCARDED, rounds):
        draw.shuffle(order)  # type: ignore[arg-type]  # any sequence will do
        for name, call in order:
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(repeats):
                call()
            wait()
            spent = Cost(1e3 * (time.perf_counter() - wall) / repeats, 1e3 * (time.process_time() - cpu) / repeats)
            costs[name] += [spent] if number >= 0 else []
    return costs


def ratio(costs: Sequence[Cost], base: Sequence[Cost], clock: str = "cpu") -> float:
    """How many times as much as `base`, the median over rounds."""
    return float(np.median([getattr(a, clock) / getattr(b, clock) for a, b in zip(costs, base, strict=True)]))


def middle(costs: Sequence[Cost], share: float = 50) -> Cost:
    """Median, or another percentile, of both clocks."""
    return Cost(*(float(value) for value in np.percentile(np.array(costs), share, axis=0)))


def growth(amounts: Sequence[float], costs: Sequence[Sequence[float]]) -> Growth:
    """How costs grow.

    Args:
        amounts: of what there is more and more, ascending, at least two.
        costs: for each amount a cost of each round, positive.
    """
    medians = [float(np.median(each)) for each in costs]
    single = [exponent(amounts, each) for each in zip(*costs, strict=True)]
    ends = [exponent(amounts[-2:], each) for each in zip(*costs[-2:], strict=True)]
    low, high = (float(value) for value in np.percentile(single, (10, 90)))
    last = exponent(amounts[-2:], medians[-2:])
    return Growth(exponent(amounts, medians), low, high, last, float(np.percentile(ends, 10)))


def exponent(amounts: Sequence[float], costs: Sequence[float]) -> float:
    """Slope of the straight line through the logarithms."""
    return float(np.polyfit(np.log(amounts), np.log(costs), 1)[0])


def memory_of(prepare: Callable[[], Callable[[], object]]) -> Memory:
    """What a process of its own needs.

    Args:
        prepare: a function of a module, or a partial of one: loads what stands anyway, and returns the work, which is
            done twice.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["depth_node.inference.estimator"])  # so that not each of them imports PyTorch
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_memory_of, prepare).result()


def _memory_of(prepare: Callable[[], Callable[[], object]]) -> Memory:
    from depth_node.inference.backends.peak_memory import own_peak

    work = prepare()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)  # what loading left behind would be used again, and not be seen
    forget_peak()
    before = resident_memory() / MIB
    for _ in range(2):
        work()
    peak = own_peak()
    return Memory(peak, peak - before)


def forget_peak() -> None:
    """Let the kernel count the most memory of this process anew, where it can."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def busy_line(about: Mapping[str, Any]) -> str:
    """Machine and load in one line, of `machine()` before the run."""
    return (
        f"{about['processor']}, {about['threads']} threads of {about['cores']} cores, torch "
        f"{about['versions']['torch']}, load {about['load']:.1f} before and {os.getloadavg()[0]:.1f} after"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Markdown; the first column is text, all others are numbers."""
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---:|" * (len(heads) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows)])


def number(value: float) -> str:
    """Three digits of what is small, none behind the point of what is not; a dash for what is not known."""
    if np.isnan(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write_results(folder: Path, name: str, record: Mapping[str, Any], text: str) -> None:
    """Put NAME.json and NAME.md into a folder."""
    for ending, content in ((".json", json.dumps(record, indent=1)), (".md", text)):
        with replacing(folder / (name + ending)) as temporary:
            temporary.write_text(content + "\n", encoding="utf-8")
