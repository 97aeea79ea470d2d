# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of a sqlite3 bag that was cut off or damaged, page by page, without SQLite.

SQLite refuses a database whose end is missing. Its pages can still be read one by one: rows lie in leaf pages of
type 13, long rows go on in chains of overflow pages. Rosbag2's three tables tell themselves apart by their columns.
A row's topic, time and first bytes lie in its leaf page: where that is lost, pages with the rest of it tell nothing.
Format: https://www.sqlite.org/fileformat.html
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from depth_node.bags.salvage.mcap import SavedMessage
from depth_node.bags.salvage.sqlite_pages import DatabasePages

LEAF = 13
BLOB, TEXT = "blob", "text"
INTEGER_SIZES = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 7: 8, 8: 0, 9: 0}
"""Bytes of a column by its serial type; 0 is NULL, 7 a real number, 8 and 9 are the constants 0 and 1."""
HEADER_ROOM = 4096
"""Bytes that hold the header and the small columns of any row of a bag."""


class SqliteScan:
    """One pass over a file.

    Attributes:
        lost_bytes: of what could not be read.
        lost_messages: rows whose end is missing or whose topic is unknown; grows while iterating.
        is_complete: whether all pages are there that the file says it has.
    """

    def __init__(self, path: Path) -> None:
        """Remember the file."""
        self._path = path
        self.lost_bytes = self.lost_messages = 0
        self.is_complete = False
        self._topics: dict[int, tuple[str, str]] = {}
        self._definitions: dict[str, tuple[str, str]] = {}

    def __iter__(self) -> Iterator[SavedMessage]:
        """All readable messages in the file's order, which is that of recording; raises OSError only."""
        pages = DatabasePages(self._path)
        self.lost_bytes = pages.lost_bytes
        self.is_complete = pages.is_complete
        if pages.size:
            self._find_topics(pages)
            yield from self._messages(pages)

    def _find_topics(self, pages: DatabasePages) -> None:
        for types, start, cell in _rows(pages):
            if len(types) >= 4 and types[1][0] == TEXT:
                columns = _small_columns(pages, cell, types, start)
                if len(columns) >= 5 and columns[2] in ("ros2msg", "ros2idl"):
                    self._definitions[columns[1]] = (columns[3], columns[2])
                elif len(columns) >= 4 and columns[3] == "cdr":
                    self._topics[cell.row] = (columns[1], columns[2])

    def _messages(self, pages: DatabasePages) -> Iterator[SavedMessage]:
        for types, start, cell in _rows(pages):
            if len(types) != 4 or types[3][0] != BLOB or TEXT in (types[1][0], types[2][0]):
                continue
            payload = _payload(pages, cell, cell.size)
            topic = int.from_bytes(payload[start : start + types[1][1]], "big") or int(types[1][0] == "one")
            at = start + types[1][1]
            time_ns = int.from_bytes(payload[at : at + types[2][1]], "big", signed=True)
            if len(payload) < cell.size or topic not in self._topics:
                self.lost_messages += 1
                continue
            name, kind = self._topics[topic]
            definition, encoding = self._definitions.get(kind, ("", ""))
            yield SavedMessage(name, kind, definition, encoding, time_ns, payload[at + types[2][1] :])


class _Cell:
    """Where one row lies: its number, size, page, first byte in it, and how many bytes are in that page."""

    __slots__ = ("local", "page", "row", "size", "start")

    def __init__(self, row: int, size: int, page: int, start: int, local: int) -> None:
        self.row, self.size, self.page, self.start, self.local = row, size, page, start, local


def _rows(pages: DatabasePages) -> Iterator[tuple[list[tuple[str, int]], int, _Cell]]:
    """Column types and sizes, where the first column begins in the payload, and the cell of every row."""
    for number in range(1, pages.count + 1):
        page = pages[number]
        header = 100 if number == 1 else 0
        if header + 8 > len(page) or page[header] != LEAF:
            continue
        count = struct.unpack_from(">H", page, header + 3)[0]
        for index in range(min(count, pages.size // 2)):
            try:
                pointer = struct.unpack_from(">H", page, header + 8 + 2 * index)[0]
                cell = _cell(pages, number, pointer)
                types, start = _columns(_payload(pages, cell, min(cell.size, HEADER_ROOM)))
            except (IndexError, ValueError, struct.error):
                continue
            yield types, start, cell


def _cell(pages: DatabasePages, number: int, at: int) -> _Cell:
    page = pages[number]
    size, at = _varint(page, at)
    row, at = _varint(page, at)
    most = pages.usable - 35
    local = size
    if size > most:
        least = (pages.usable - 12) * 32 // 255 - 23
        local = least + (size - least) % (pages.usable - 4)
        local = local if local <= most else least
    if at + local > len(page) or size < 1:
        raise ValueError("a row goes beyond its page")
    return _Cell(row, size, number, at, local)


def _payload(pages: DatabasePages, cell: _Cell, wanted: int) -> bytes:
    """The first bytes of a row, fewer where the file ends before."""
    page, end = pages[cell.page], cell.start + cell.local
    parts = [page[cell.start : cell.start + min(cell.local, wanted)]]
    missing = wanted - cell.local
    room = pages.usable - 4
    while missing > 0 and end + 4 <= len(page):
        number = struct.unpack_from(">I", page, end)[0]
        page, end = pages[number] if number >= 2 else page[:0], 0
        part = page[4 : 4 + min(room, missing)]
        parts.append(part)
        missing -= len(part)
        if len(part) < min(room, missing + len(part)):
            break
    return b"".join(parts)


def _small_columns(pages: DatabasePages, cell: _Cell, types: list[tuple[str, int]], start: int) -> list[str]:
    payload = _payload(pages, cell, cell.size)
    if len(payload) < cell.size:
        return []
    columns = []
    for kind, size in types:
        columns.append(payload[start : start + size].decode(errors="replace") if kind == TEXT else "")
        start += size
    return columns


def _varint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    value = 0
    for index in range(9):
        byte = data[at + index]
        if index == 8:
            return value << 8 | byte, at + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + index + 1
    raise ValueError("unreachable")


def _columns(payload: bytes) -> tuple[list[tuple[str, int]], int]:
    """Kind and size in bytes of every column of a row, and where the first one begins."""
    end, at = _varint(payload, 0)
    if not 1 < end <= min(len(payload), 64):
        raise ValueError("no row of a bag")
    columns = []
    while at < end:
        kind, at = _varint(payload, at)
        if kind >= 12:
            columns.append((TEXT if kind % 2 else BLOB, (kind - 12) // 2))
        elif kind in INTEGER_SIZES:
            columns.append(("one" if kind == 9 else "number", INTEGER_SIZES[kind]))
        else:
            raise ValueError("no row of a bag")
    return columns, end
