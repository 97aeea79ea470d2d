"""Messages of a sqlite3 bag that was cut off or damaged, page by page, without SQLite.

SQLite refuses a database whose end is missing. Its pages can still be read one by one: rows lie in leaf pages of
type 13, long rows go on in chains of overflow pages. Rosbag2's three tables tell themselves apart by their columns.
Format: https://www.sqlite.org/fileformat.html
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from depth_node.data.mcap_salvage import SavedMessage

MAGIC = b"SQLite format 3\0"
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
        is_complete: whether the file is as long as it says.
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
        size = self._path.stat().st_size
        with self._path.open("rb") as file:
            header = file.read(100)
            page = int.from_bytes(header[16:18], "big")
            self._page = 65536 if page == 1 else page
            if not header.startswith(MAGIC) or len(header) < 100 or self._page < 512 or self._page & (self._page - 1):
                self.lost_bytes = size
                return
            self._usable = self._page - header[20]
            expected = self._page * int.from_bytes(header[28:32], "big")
            self.is_complete = size >= expected
            self.lost_bytes = max(expected - size, 0)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                self._find_topics(data)
                yield from self._messages(data)

    def _find_topics(self, data: mmap.mmap) -> None:
        for _, types, start, cell in self._rows(data):
            if len(types) >= 4 and types[1][0] == TEXT:
                columns = self._small_columns(data, cell, types, start)
                if len(columns) >= 5 and columns[2] in ("ros2msg", "ros2idl"):
                    self._definitions[columns[1]] = (columns[3], columns[2])
                elif len(columns) >= 4 and columns[3] == "cdr":
                    self._topics[cell.row] = (columns[1], columns[2])

    def _messages(self, data: mmap.mmap) -> Iterator[SavedMessage]:
        for _, types, start, cell in self._rows(data):
            if len(types) != 4 or types[3][0] != BLOB or TEXT in (types[1][0], types[2][0]):
                continue
            payload = self._payload(data, cell, cell.size)
            topic = int.from_bytes(payload[start : start + types[1][1]], "big") or int(types[1][0] == "one")
            at = start + types[1][1]
            time_ns = int.from_bytes(payload[at : at + types[2][1]], "big", signed=True)
            if len(payload) < cell.size or topic not in self._topics:
                self.lost_messages += 1
                continue
            name, kind = self._topics[topic]
            definition, encoding = self._definitions.get(kind, ("", ""))
            yield SavedMessage(name, kind, definition, encoding, time_ns, payload[at + types[2][1] :])

    def _rows(self, data: mmap.mmap) -> Iterator[tuple[int, list[tuple[str, int]], int, _Cell]]:
        """Page, column types and sizes, where the first column begins in the payload, and the cell of every row."""
        for number in range((len(data) + self._page - 1) // self._page):
            offset = number * self._page
            header = offset + (100 if number == 0 else 0)
            if header + 8 > len(data) or data[header] != LEAF:
                continue
            count = struct.unpack_from(">H", data, header + 3)[0]
            for index in range(min(count, self._page // 2)):
                try:
                    pointer = struct.unpack_from(">H", data, header + 8 + 2 * index)[0]
                    cell = self._cell(data, offset + pointer, offset + self._page)
                    types, start = _columns(self._payload(data, cell, min(cell.size, HEADER_ROOM)))
                except (IndexError, ValueError, struct.error):
                    continue
                yield number, types, start, cell

    def _cell(self, data: mmap.mmap, at: int, page_end: int) -> _Cell:
        size, at = _varint(data, at)
        row, at = _varint(data, at)
        most = self._usable - 35
        local = size
        if size > most:
            least = (self._usable - 12) * 32 // 255 - 23
            local = least + (size - least) % (self._usable - 4)
            local = local if local <= most else least
        if at + local > min(page_end, len(data)) or size < 1:
            raise ValueError("a row goes beyond its page")
        return _Cell(row, size, at, local)

    def _payload(self, data: mmap.mmap, cell: _Cell, wanted: int) -> bytes:
        """The first bytes of a row, fewer where the file ends before."""
        parts = [data[cell.start : cell.start + min(cell.local, wanted)]]
        missing = wanted - cell.local
        follower = cell.start + cell.local
        room = self._usable - 4
        while missing > 0:
            if follower + 4 > len(data):
                break
            page = struct.unpack_from(">I", data, follower)[0]
            follower = (page - 1) * self._page
            if page < 2 or follower + 4 > len(data):
                break
            part = data[follower + 4 : follower + 4 + min(room, missing)]
            parts.append(part)
            missing -= len(part)
            if len(part) < min(room, missing + len(part)):
                break
        return b"".join(parts)

    def _small_columns(self, data: mmap.mmap, cell: _Cell, types: list[tuple[str, int]], start: int) -> list[str]:
        payload = self._payload(data, cell, cell.size)
        if len(payload) < cell.size:
            return []
        columns = []
        for kind, size in types:
            columns.append(payload[start : start + size].decode(errors="replace") if kind == TEXT else "")
            start += size
        return columns


class _Cell:
    """Where one row lies: its number, size, first byte, and how many bytes are in its own page."""

    __slots__ = ("local", "row", "size", "start")

    def __init__(self, row: int, size: int, start: int, local: int) -> None:
        self.row, self.size, self.start, self.local = row, size, start, local


def _varint(data: bytes | mmap.mmap, at: int) -> tuple[int, int]:
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
