# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every back end of this machine's CPU side by side: speed, memory and drift of one checkpoint at one size."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from depth_node.config.bench import BenchConfig
from depth_node.config.setting import values
from depth_node.inference.backends.busy_processes import busy
from depth_node.inference.backends.drift import Drift
from depth_node.inference.backends.model_store import TAKING_PART
from depth_node.inference.backends.opener import KINDS, Opener, Say, UnfitError
from depth_node.inference.backends.peak_memory import peak_memory
from depth_node.inference.backends.race import race
from depth_node.inference.backends.trial_pictures import trial_pictures
from depth_node.installed import version_of

EAGER = "torch fp32"
PERCENTILES = (50, 95, 99)


@dataclass(frozen=True)
class Row:
    """One back end with so many busy processes beside it.

    Attributes:
        backend: name and arithmetic.
        busy: processes beside it.
        median: milliseconds of a picture.
        p95: the same, 95 of 100 are quicker.
        p99: the same, 99 of 100 are quicker.
        ratio: how many times as fast as eager PyTorch in float32 in the same rounds, by the medians.
        peak_mib: memory of a process that runs nothing else, MiB; NaN where it is unknown.
        depth_drift: mean relative difference of depth from PyTorch's, of the worst picture.
        class_drift: share of pixels with another class.
        passes: whether the live node would take it (`drift.DEPTH_BOUND`, `drift.CLASS_BOUND`).
    """

    backend: str
    busy: int
    median: float
    p95: float
    p99: float
    ratio: float
    peak_mib: float
    depth_drift: float
    class_drift: float
    passes: bool


def bench(checkpoint: Path, config: BenchConfig, pictures: Sequence[Tensor], say: Say) -> list[Row]:
    """Measure all that is installed.

    Args:
        checkpoint: the file.
        config: how.
        pictures: (1, 3, H, W) in 0..1 at the network's size, for the drift; drawn ones where there are none.
        say: is told what cannot be had and what takes long.

    Returns:
        Rows in the order of measuring: idle first, then busy.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ConfigError: the size is none of the network's.
    """
    opener = Opener(checkpoint, "cpu", "auto", say, is_strict=False, size=(config.height, config.width))
    size = opener.info.network.height, opener.info.network.width
    shown = list(pictures) or trial_pictures(*size)
    entrants = {}
    for title in titles(opener, config.compiled):
        try:
            entrants[title] = opener.entrant(title)
        except UnfitError as error:
            say(str(error))
    drifts = {title: opener.drift(backend, shown) for title, backend in entrants.items()}
    peaks = {title: peak_memory(checkpoint, title, size) for title in entrants}
    calls = {title: lambda backend=one: backend.run(shown[0], 1, True) for title, one in entrants.items()}
    rows = []
    for processes in (0, config.busy) if config.busy else (0,):
        with busy(processes):
            times = race(calls, config.rounds)
        rows += [_row(title, processes, times, peaks[title], drifts[title]) for title in entrants]
    return rows


def titles(opener: Opener, compiled: bool) -> list[str]:
    """Every back end that can be tried here, with its arithmetic."""
    found = [EAGER, "torch bf16"] + ["torch compiled fp32"] * compiled
    return found + [title for name in KINDS for title in opener.titles(name)]


def surroundings(config: BenchConfig) -> dict[str, Any]:
    """What has to stand beside the numbers: the machine and the settings."""
    return machine() | {"settings": values(config)}


def machine() -> dict[str, Any]:
    """Processor, load, threads and versions."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "load": os.getloadavg()[0],
        "openmp": {name: os.environ.get(name, "") for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")},
        "versions": {name: version_of(name) for name in TAKING_PART},
    }


def _row(title: str, processes: int, times: dict[str, list[float]], peak: float, drift: Drift) -> Row:
    middle, high, highest = (1e3 * float(number) for number in np.percentile(times[title], PERCENTILES))
    ratio = 1e3 * float(np.median(times[EAGER])) / middle
    return Row(title, processes, middle, high, highest, ratio, peak, drift.depth, drift.classes, drift.passes)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
