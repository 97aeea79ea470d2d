# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of an MCAP file that was cut off or damaged, record by record, without its index.

Records stand one after the other: opcode (1 byte), length (8 bytes), content. Messages lie in chunks, which may be
compressed; of a chunk that is cut off, what decompresses is read. Behind damage, reading goes on at the next chunk.
Format: https://mcap.dev/spec
"""

from __future__ import annotations

import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAGIC = b"\x89MCAP0\r\n"
SCHEMA, CHANNEL, MESSAGE, CHUNK, DATA_END = 3, 4, 5, 6, 15
LAST_OPCODE = 15
CHUNK_HEADER = 32  # start time, end time, uncompressed size, checksum, length of the compression's name
PIECE = 1 << 16
"""Compressed bytes fed to a decompressor at once: what comes before damage inside a piece is lost."""

# A chunk somewhere in a file: opcode, length, times, size, checksum, then one of the compressions by name.
_CHUNK = re.compile(rb"\x06.{8}.{28}(?:\x00{4}|\x03\x00\x00\x00lz4|\x04\x00\x00\x00zstd)", re.DOTALL)

Buffer = bytes | mmap.mmap


@dataclass(frozen=True)
class SavedMessage:
    """A message as found in a file: topic, type, definition and its encoding, time of recording in ns, content."""

    topic: str
    type: str
    definition: str
    encoding: str
    time_ns: int
    data: bytes


class McapScan:
    """One pass over a file.

    Attributes:
        lost_bytes: of what could not be read; grows while iterating.
        is_complete: whether the end of the data was reached.
    """

    def __init__(self, path: Path) -> None:
        """Remember the file."""
        self._path = path
        self.lost_bytes = 0
        self.is_complete = False
        self._schemas: dict[int, tuple[str, str, str]] = {}
        self._channels: dict[int, tuple[str, str, str, str]] = {}

    def __iter__(self) -> Iterator[SavedMessage]:
        """All readable messages in the file's order; raises OSError only."""
        with self._path.open("rb") as file:
            size = self._path.stat().st_size
            if size < len(MAGIC) or file.read(len(MAGIC)) != MAGIC:
                self.lost_bytes = size
                return
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                yield from self._file(data)

    def _file(self, data: mmap.mmap) -> Iterator[SavedMessage]:
        position = len(MAGIC)
        while position < len(data):
            opcode, length = _record(data, position, len(data))
            end = position + 9 + length
            if opcode == DATA_END:
                self.is_complete = True
                return
            if opcode and end <= len(data) and (opcode != CHUNK or length >= CHUNK_HEADER + 8):
                yield from self._content(opcode, data, position + 9, end)
                position = end
                continue
            follower = _next_chunk(data, position + 1)
            stop = follower or len(data)
            if opcode == CHUNK:  # the last one, cut off in the middle
                yield from self._chunk(data, position + 9, stop)
            else:
                self.lost_bytes += stop - position
            position = stop

    def _content(self, opcode: int, data: Buffer, start: int, end: int) -> Iterator[SavedMessage]:
        if opcode == CHUNK:
            yield from self._chunk(data, start, end)
            return
        try:
            if opcode == SCHEMA:
                self._add_schema(data[start:end])
            elif opcode == CHANNEL:
                self._add_channel(data[start:end])
            elif opcode == MESSAGE:
                yield self._message(data, start, end)
        except (struct.error, KeyError, UnicodeDecodeError, ValueError):
            self.lost_bytes += end - start

    def _chunk(self, data: Buffer, start: int, end: int) -> Iterator[SavedMessage]:
        try:
            name_length = struct.unpack_from("<I", data, start + 28)[0]
            name = bytes(data[start + 32 : start + 32 + name_length])
            records = start + 32 + name_length
            size = struct.unpack_from("<Q", data, records)[0]
        except struct.error:
            self.lost_bytes += end - start
            return
        content = _decompress(name, data[records + 8 : min(records + 8 + size, end)])
        position = 0
        while position < len(content):
            opcode, length = _record(content, position, len(content))
            if not opcode or position + 9 + length > len(content):
                break
            yield from self._content(opcode, content, position + 9, position + 9 + length)
            position += 9 + length
        expected = struct.unpack_from("<Q", data, start + 16)[0]
        if position < expected:
            self.lost_bytes += max(end - start - position, 1)

    def _add_schema(self, content: bytes) -> None:
        key = struct.unpack_from("<H", content)[0]
        name, at = _string(content, 2)
        encoding, at = _string(content, at)
        definition, _ = _string(content, at)
        self._schemas[key] = (name, definition, encoding)

    def _add_channel(self, content: bytes) -> None:
        key, schema = struct.unpack_from("<HH", content)
        topic, _ = _string(content, 4)
        self._channels[key] = (topic, *self._schemas[schema])

    def _message(self, data: Buffer, start: int, end: int) -> SavedMessage:
        channel, _, time_ns = struct.unpack_from("<HIQ", data, start)
        topic, kind, definition, encoding = self._channels[channel]
        if end - start < 22:
            raise ValueError("a message needs 22 bytes of header")
        return SavedMessage(topic, kind, definition, encoding, time_ns, bytes(data[start + 22 : end]))


def _record(data: Buffer, position: int, end: int) -> tuple[int, int]:
    """Opcode and length of the record at a position; opcode 0 where there is none."""
    if position + 9 > end:
        return 0, 0
    opcode, length = struct.unpack_from("<BQ", data, position)
    # Opcodes from 0x80 on are private to writers, and skipped.
    return (opcode, length) if 1 <= opcode <= LAST_OPCODE or opcode >= 0x80 else (0, 0)


def _next_chunk(data: mmap.mmap, start: int) -> int | None:
    """Where the next chunk begins; its sizes must agree with each other, so that pixels do not look like one."""
    for match in _CHUNK.finditer(data, start):
        position = match.start()
        length, first, last = struct.unpack_from("<QQQ", data, position + 1)
        name_length = struct.unpack_from("<I", data, position + 37)[0]
        if position + 49 + name_length > len(data):
            return None
        size = struct.unpack_from("<Q", data, position + 41 + name_length)[0]
        if first <= last and length == 40 + name_length + size:
            return position
    return None


def _string(content: bytes, at: int) -> tuple[str, int]:
    length = struct.unpack_from("<I", content, at)[0]
    end = at + 4 + length
    if end > len(content):
        raise ValueError("a string is longer than its record")
    return content[at + 4 : end].decode(), end


def _decompress(name: bytes, data: bytes) -> bytes:
    """As much as decompresses of a chunk."""
    if not name:
        return data
    if name == b"lz4":
        return decompress_prefix(_lz4(), data)
    return decompress_prefix(zstd_decompressor(), data) if name == b"zstd" else b""


def decompress_prefix(decompressor: Any, data: bytes) -> bytes:  # two libraries, one method
    """What a streaming decompressor gives before its input ends or breaks."""
    parts = []
    try:
        for start in range(0, len(data), PIECE):
            parts.append(decompressor.decompress(data[start : start + PIECE]))
            if decompressor.eof:
                break
    except Exception:  # each library has its own; whatever it is, the rest cannot be read
        pass
    return b"".join(parts)


def zstd_decompressor() -> Any:
    """A fresh streaming decompressor of what rosbags itself uses for zstd."""
    try:
        from compression import zstd  # Python 3.14 brings it
    except ImportError:
        from backports import zstd
    return zstd.ZstdDecompressor()


def _lz4() -> Any:
    from lz4.frame import LZ4FrameDecompressor

    return LZ4FrameDecompressor()
