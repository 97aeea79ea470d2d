# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of a whole mcap file without copying their pixels: rosbags' reader with a faster way through the chunks.

rosbags copies every message four times on its way out of the file. Here messages are views of the file as the system
keeps it in memory, or of one copy, and live as long as somebody holds them. Order and content are rosbags' own.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import itemgetter
from typing import Any, BinaryIO
from zlib import crc32

import numpy as np
from rosbags.interfaces import Connection
from rosbags.rosbag2 import Reader, ReaderError
from rosbags.rosbag2.reader import DirectoryReader
from rosbags.rosbag2.storage_mcap import ChunkInfo, McapReader

MESSAGE = 5
RECORD = struct.Struct("<BQ")  # opcode, length
MESSAGE_HEADER = struct.Struct("<HIQQ")  # channel, sequence, time of recording, time of publishing
CHUNK_HEADER = 49  # opcode, length, times, size, checksum, length of the compression's name, length of the records
CHECKSUM = 33
MADV_POPULATE_READ = 22
READ_AHEAD = 8 << 20
"""Bytes behind a chunk that the system may already fetch."""

Message = tuple[Connection, int, memoryview]


class ChunkReader(McapReader):
    """An mcap file whose chunks are read one after the other where they follow each other in time, uncompressed."""

    def messages(  # type: ignore[override]  # views stand for bytes
        self, connections: Collection[Connection], start: int | None = None, stop: int | None = None
    ) -> Iterator[Message]:
        """Messages of some connections in order of time; all of them, as nothing here asks for a part.

        Raises:
            ReaderError: the file is damaged.
        """
        if start is not None or stop is not None or not can_be_read_in_place(self.chunks):
            for connection, time_ns, data in super().messages(connections, start, stop):
                yield connection, time_ns, memoryview(data)
            return
        wanted = {connection.id: connection for connection in connections}
        assert self.bio is not None
        for chunk in self.chunks:
            if any(chunk.channel_count.get(channel, 0) for channel in wanted):
                yield from _messages(read_chunk(self.bio, chunk), wanted)


def can_be_read_in_place(chunks: Sequence[ChunkInfo]) -> bool:
    """Whether no chunk is compressed, and none holds a message that belongs before one of an earlier chunk."""
    plain = bool(chunks) and all(not chunk.compression for chunk in chunks)
    return plain and all(
        one.message_end_time <= two.message_start_time and one.chunk_start_offset < two.chunk_start_offset
        for one, two in pairwise(chunks)
    )


def read_chunk(file: BinaryIO, chunk: ChunkInfo) -> memoryview:
    """The records of a chunk that is not compressed, as long as somebody holds them; raises ReaderError."""
    content = _mapped(file, chunk) or _copied(file, chunk)
    checksum = struct.unpack_from("<I", content, CHECKSUM)[0]
    records = content[CHUNK_HEADER:]
    if checksum and crc32(records) != checksum:
        raise ReaderError(f"Chunk at {chunk.chunk_start_offset} does not fit its checksum.")
    return records


def _mapped(file: BinaryIO, chunk: ChunkInfo) -> memoryview | None:
    """A chunk as it lies in the system's memory; None where that cannot be had.

    All of it is asked for at once: reading a page later on that the disk does not give would end the process.
    """
    begin, length = chunk.chunk_start_offset, CHUNK_HEADER + chunk.uncompressed_size
    into_page = begin % mmap.ALLOCATIONGRANULARITY
    try:
        os.posix_fadvise(file.fileno(), begin + length, READ_AHEAD, os.POSIX_FADV_WILLNEED)
        pages = mmap.mmap(file.fileno(), into_page + length, mmap.MAP_PRIVATE, mmap.PROT_READ, offset=begin - into_page)
        pages.madvise(MADV_POPULATE_READ)
    except (OSError, ValueError, AttributeError):  # another system, a Linux before 5.14, a file that is cut off
        return None
    return memoryview(pages)[into_page:]


def _copied(file: BinaryIO, chunk: ChunkInfo) -> memoryview:
    file.seek(chunk.chunk_start_offset)
    content = np.empty(CHUNK_HEADER + chunk.uncompressed_size, np.uint8).data  # not cleared, unlike a bytearray
    if file.readinto(content) != len(content):  # type: ignore[attr-defined]  # it is a file
        raise ReaderError(f"Chunk at {chunk.chunk_start_offset} is cut off.")
    return content.toreadonly()


def _messages(content: memoryview, wanted: Mapping[int, Connection]) -> list[Message]:
    found: list[Message] = []
    position = 0
    while position < len(content):
        opcode, length = RECORD.unpack_from(content, position)
        begin, position = position + RECORD.size, position + RECORD.size + length
        if position > len(content):
            raise ReaderError("A record goes beyond its chunk.")
        if opcode == MESSAGE:
            channel, _, time_ns, _ = MESSAGE_HEADER.unpack_from(content, begin)
            if channel in wanted:
                found.append((wanted[channel], time_ns, content[begin + MESSAGE_HEADER.size : position]))
    return sorted(found, key=itemgetter(1))


class _Folder(DirectoryReader):
    STORAGE_PLUGINS: Mapping[str, Any] = {**DirectoryReader.STORAGE_PLUGINS, "mcap": ChunkReader}


class InPlaceReader(Reader):
    """rosbags' reader of any ROS 2 bag, with `ChunkReader` for mcap files."""

    STORAGE_PLUGINS: Mapping[str, Any] = {**Reader.STORAGE_PLUGINS, "dir": _Folder, ".mcap": ChunkReader}
