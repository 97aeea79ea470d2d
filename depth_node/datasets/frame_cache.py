# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Resized pictures kept on disk, so that they are decoded once and not in every epoch of every run.

A folder can serve any number of runs and processes at once. It can be deleted at any time: what is missing is read
from the picture files. Bytes are those that reading the files gives.
"""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from depth_node.datasets.cache_shards import SUFFIX, Shard, shards_of
from depth_node.errors import OutputError, SequenceError
from depth_node.kitti.layout import KittiSequence

logger = logging.getLogger(__name__)

TAG = "CACHEDIR.TAG"
TAG_TEXT = """Signature: 8a477f597d28d172789f06886806bc55
# Resized pictures that `depth train --cache` made, to be mapped into memory. Delete them whenever no training runs.
"""
SPARE_BYTES = 1 << 30
"""Space that is left to others: a run's own checkpoints, first of all."""


class FrameCache:
    """Pictures of one size, in shards (see `Shard`).

    Args:
        folder: where shards are kept, for any size and data.
        height: height of the resized pictures, pixels.
        width: width of the resized pictures, pixels.
    """

    def __init__(self, folder: Path, height: int, width: int) -> None:
        self.folder = folder
        self.height = height
        self.width = width
        self._places: dict[KittiSequence, dict[int, tuple[Shard, int]]] = {}
        self._open: dict[Path, Tensor | None] = {}

    def frame(self, sequence: KittiSequence, frame: int) -> Tensor | None:
        """A picture (height, width, 3) uint8, a view of the mapped file; None where it is not kept."""
        place = self._places.get(sequence, {}).get(frame)
        if place is None:
            return None
        shard, position = place
        if shard.path not in self._open:
            self._open[shard.path] = _open(shard)
        pixels = self._open[shard.path]
        return None if pixels is None else pixels[position]

    def fill(self, pictures: Iterable[tuple[KittiSequence, int]]) -> None:
        """Make sure that pictures are kept; those that are already cost next to nothing.

        Where there is no room for them, one warning says so, and they are read from their files.

        Raises:
            SequenceError: a picture cannot be read.
        """
        wanted: dict[KittiSequence, set[int]] = {}
        for sequence, frame in pictures:
            wanted.setdefault(sequence, set()).add(frame)
        shards = [
            shard
            for sequence, frames in wanted.items()
            for shard in shards_of(self.folder, sequence, frames, self.height, self.width)
        ]
        try:
            if any(not shard.exists() for shard in shards):
                self._write(shards, wanted)
        except (OutputError, OSError) as error:
            reason = f"cannot write {self.folder}: {error.strerror}" if isinstance(error, OSError) else str(error)
            logger.warning("the frame cache stays incomplete, pictures are read from their files: %s", reason)
        for shard in shards:
            if shard.exists():
                places = {frame: (shard, position) for position, frame in enumerate(shard.frames)}
                self._places.setdefault(shard.sequence, {}).update(places)

    def _write(self, shards: Sequence[Shard], wanted: Mapping[KittiSequence, set[int]]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / TAG).write_text(TAG_TEXT)
        with _only_writer(self.folder):
            missing = [shard for shard in shards if not shard.exists()]  # another run may just have made them
            if not missing:
                return
            frames, need = sum(len(shard.frames) for shard in missing), sum(shard.size for shard in missing)
            free = shutil.disk_usage(self.folder).free
            room = f"{need / 1e9:.2f} GB in {self.folder} ({free / 1e9:.2f} GB free)"
            if need + SPARE_BYTES > free:
                raise OutputError(f"{frames} frames of {self.width}x{self.height} need {room}")
            print(f"frame cache: {frames} frames of {self.width}x{self.height} take {room}")
            _write_all(missing, frames, wanted)

    def __getstate__(self) -> dict[str, Any]:
        """What goes to another process: the places, not the pixels."""
        return self.__dict__ | {"_open": {}}


def _open(shard: Shard) -> Tensor | None:
    try:
        return shard.open()
    except (OSError, RuntimeError):  # somebody has emptied the cache
        return None


def _write_all(shards: Sequence[Shard], frames: int, wanted: Mapping[KittiSequence, set[int]]) -> None:
    columns = (TextColumn("frame cache"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Threads: decoding and resizing run outside of Python's lock.
    with Progress(*columns) as progress, ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        task = progress.add_task("", total=frames)
        jobs = [pool.submit(shard.write, lambda: progress.advance(task)) for shard in shards]
        try:
            for shard, job in zip(shards, jobs, strict=True):
                try:
                    job.result()
                except SequenceError as error:
                    # Shards hold frames that nobody asks for, too: of those, a broken one is no reason to stop.
                    for frame in wanted[shard.sequence].intersection(shard.frames):
                        shard.sequence.calibrated_image(frame)
                    logger.warning("%d frames are not cached, for %s", len(shard.frames), error)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """Wait until no other process fills this cache: it would do the same work again."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _lock(descriptor, folder)
    except OSError:  # no locks on this file system: work may be done twice, nothing worse
        os.close(descriptor)
        yield
        return
    try:
        for left in folder.glob(f"*/.*{SUFFIX}"):  # of a process that was killed
            left.unlink(missing_ok=True)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"frame cache: another process is filling {folder}, waiting for it")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
