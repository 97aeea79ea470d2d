# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pages of a SQLite database that was cut off or never closed, without SQLite.

A recorder that crashed may leave rows in a write-ahead log beside the database. As SQLite itself would, this takes of
every page the last version that was committed: frames of the log count as far as their checksums hold and a
transaction ends. Format: https://www.sqlite.org/fileformat.html, section 4.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_node.bags.files import write_ahead_log

MAGIC = b"SQLite format 3\0"
WAL_MAGIC = 0x377F0682
"""The last bit says in which byte order checksums count."""
WAL_HEADER, FRAME_HEADER = struct.Struct(">8I"), struct.Struct(">6I")

Words = NDArray[np.uint32]


class DatabasePages:
    """All pages of a database.

    Attributes:
        size: bytes of a page; 0 where the file is no database.
        usable: bytes of a page that hold content.
        count: pages that are at least partly there.
        is_complete: whether it is a database of which no page is missing.
        lost_bytes: of pages that are missing and of what no transaction in the log ends.
    """

    def __init__(self, path: Path) -> None:
        """Open the files; raises OSError."""
        self._data, self._log = _mapped(path), _mapped(write_ahead_log(path))
        self._frames, pages, unfinished = committed_frames(self._log)
        first = self._log[self._frames[1] :][:100] if 1 in self._frames else self._data[:100]
        self.size = self.usable = self.count = 0
        self.is_complete, self.lost_bytes = False, len(self._data)
        page = struct.unpack_from(">H", first, 16)[0] if len(first) == 100 else 0
        page = 65536 if page == 1 else page
        if bytes(first[:16]) != MAGIC or page < 512 or page & (page - 1):
            return
        self.size, self.usable = page, page - first[20]
        expected = pages or struct.unpack_from(">I", first, 28)[0]
        self.count = max([-(-len(self._data) // page), *self._frames])
        whole = len(self._data) // page
        in_log = sum(page * number > len(self._data) for number in self._frames)
        partly = len(self._data) - page * whole if whole + 1 not in self._frames else 0
        missing = max(page * (expected - whole - in_log) - partly, 0)
        self.is_complete, self.lost_bytes = not missing, missing + unfinished

    def __getitem__(self, number: int) -> memoryview:
        """A page by its number from 1; shorter, or empty, where the file ends before it does."""
        if (frame := self._frames.get(number)) is not None:
            return self._log[frame : frame + self.size]
        return self._data[(number - 1) * self.size : number * self.size]


def committed_frames(log: memoryview) -> tuple[dict[int, int], int, int]:
    """Where in a write-ahead log the last committed version of each page begins.

    Returns:
        Offsets by page number, pages of the database after the last commit (0: none), and bytes after it.
    """
    if len(log) < WAL_HEADER.size:
        return {}, 0, len(log)
    magic, _, page, _, *salt = WAL_HEADER.unpack_from(log)[:6]
    if magic & ~1 != WAL_MAGIC or page < 512 or page & (page - 1):
        return {}, 0, len(log)
    words = np.dtype(">u4" if magic & 1 else "<u4")
    checksum = Checksum(3).add(np.zeros(2, np.uint32), np.frombuffer(log[:24], words))
    if tuple(checksum) != WAL_HEADER.unpack_from(log)[6:]:
        return {}, 0, len(log)
    frame_sum = Checksum(page // 8 + 1)
    committed: dict[int, int] = {}
    open_frames: dict[int, int] = {}
    pages, end = 0, WAL_HEADER.size
    for at in range(WAL_HEADER.size, len(log) - FRAME_HEADER.size - page + 1, FRAME_HEADER.size + page):
        number, after, *rest = FRAME_HEADER.unpack_from(log, at)
        begin = at + FRAME_HEADER.size
        content = np.frombuffer(bytes(log[at : at + 8]) + log[begin : begin + page], words)
        checksum = frame_sum.add(checksum, content)
        if rest[:2] != salt or rest[2:] != list(checksum):
            break
        open_frames[number] = begin
        if after:  # the last frame of a transaction
            committed |= open_frames
            open_frames, pages, end = {}, after, begin + page
    return committed, pages, len(log) - end


class Checksum:
    """SQLite's checksum of a fixed number of pairs of words, as two sums: it is linear, so NumPy can do it at once.

    A pair (x, y) takes sums (s, t) to (s + t + x, s + 2t + x + y), modulo 2^32.
    """

    def __init__(self, pairs: int) -> None:
        """Compute what every word counts at the end."""
        power = np.eye(2, dtype=np.uint32)
        self._weights = np.empty((2, pairs, 2), np.uint32)
        for pair in reversed(range(pairs)):
            self._weights[:, pair] = power @ np.array([[1, 0], [1, 1]], np.uint32)
            power = power @ np.array([[1, 1], [1, 2]], np.uint32)
        self._start = power

    def add(self, sums: Words, words: NDArray[np.uint32]) -> Words:
        """The two sums after (2 * pairs,) more words."""
        return self._start @ sums + self._weights.reshape(2, -1) @ words.astype(np.uint32)


def _mapped(path: Path) -> memoryview:
    """The bytes of a file; empty where there is none. The mapping ends with the last view of it."""
    if not path.is_file() or not path.stat().st_size:
        return memoryview(b"")
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
