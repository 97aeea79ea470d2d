# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files of `torch.save`, both kinds, read without running anything in them.

Since 1.6 PyTorch writes a zip archive with the pickle and one record per storage, all uncompressed. Before, it wrote
five pickles (a magic number, a version, the machine, the content, the keys of the storages) and the storages after.
"""

from __future__ import annotations

import os
import struct
import zipfile
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol

import torch
from torch import Tensor

from depth_node.checkpoints.importing.plain_pickle import RefusedPickleError, read_plain
from depth_node.checkpoints.importing.stored import Storage, StoredTensor
from depth_node.errors import CheckpointError, first_line

MAX_PICKLE_BYTES = 4 * 2**20
"""Content without the numbers; a checkpoint of PackNet-SfM has less than 1 MB of it."""
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
ZIP_MAGIC = b"PK\x03\x04"
PICKLE_MAGIC = b"\x80"
COUNT_BYTES = 8


class _Records(Protocol):
    """What both kinds of file offer."""

    content: Any

    def read(self, storage: Storage) -> bytearray:
        """The bytes of a storage."""


class TorchFile:
    """An open file of `torch.save`; use with `with`.

    Attributes:
        path: where it is.
        content: what was saved, as plain data with `StoredTensor` for each tensor.
    """

    def __init__(self, path: Path):
        """Open a file and read everything but the tensors.

        Raises:
            CheckpointError: it is missing, no file of PyTorch, damaged, or holds more than plain data.
        """
        self.path = path
        self._loaded: dict[Storage, Tensor] = {}
        self._file = _open(path)
        try:
            head = self._file.read(len(ZIP_MAGIC))
            self._file.seek(0)
            if head == ZIP_MAGIC:
                self._records: _Records = _ZipRecords(self._file, path)
            elif head.startswith(PICKLE_MAGIC):
                self._records = _LegacyRecords(self._file)
            else:
                raise CheckpointError(f"{path} is {_what(head)}, not a file of torch.save")
            self.content = self._records.content
        except Exception as error:  # whatever a crafted file makes zipfile or struct raise, the answer is one line
            self._file.close()
            raise self._one_line(error) from error

    def __enter__(self) -> TorchFile:
        """The open file."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it; tensors that were loaded stay."""
        self._file.close()

    def load(self, stored: StoredTensor) -> Tensor:
        """Read a tensor of this file; several of one storage share their memory.

        Raises:
            CheckpointError: the file is damaged.
        """
        storage = stored.storage
        try:
            if storage not in self._loaded:
                data = self._records.read(storage)
                dtype = storage.dtype
                self._loaded[storage] = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
            return self._loaded[storage].as_strided(stored.shape, stored.strides, stored.offset)
        except Exception as error:  # as above
            raise self._one_line(error) from error

    def _one_line(self, error: Exception) -> CheckpointError:
        if isinstance(error, CheckpointError):
            return error
        if isinstance(error, RefusedPickleError):
            return CheckpointError(f"{self.path} is refused, nothing in it was run: {error}")
        size = self.path.stat().st_size
        return CheckpointError(f"{self.path} is damaged or cut off at {size} bytes, get it again ({first_line(error)})")


class _ZipRecords:
    """The zip archive: nothing is ever unpacked to disk, records are looked up by their exact name."""

    def __init__(self, file: BinaryIO, path: Path):
        self._archive = zipfile.ZipFile(file)
        names = [name for name in self._archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(names) != 1:
            raise CheckpointError(f"{path} is a zip archive, but not one of torch.save: unpack it and name its folder")
        self._folder = names[0].removesuffix("data.pkl")
        room = os.fstat(file.fileno()).st_size
        # Uncompressed records that lie side by side cannot hold more than the file does.
        if sum(info.file_size for info in self._archive.infolist()) > room:
            raise ValueError("records larger than the file")
        if self._folder + "byteorder" in self._archive.namelist() and self._read("byteorder", 16) != b"little":
            raise ValueError("numbers in big-endian order")
        self.content = read_plain(BytesIO(self._read("data.pkl", MAX_PICKLE_BYTES)))

    def read(self, storage: Storage) -> bytearray:
        size = storage.size * storage.dtype.itemsize
        data = self._read("data/" + storage.key, size)
        if len(data) != size:
            raise ValueError(f"storage {storage.key} has {len(data)} of {size} bytes")
        return data

    def _read(self, name: str, limit: int) -> bytearray:
        info = self._archive.getinfo(self._folder + name)
        if info.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"record {name} is compressed")
        if info.file_size > limit:
            raise ValueError(f"record {name} has {info.file_size} bytes, more than {limit}")
        data = bytearray(info.file_size)
        with self._archive.open(info) as record:
            _fill(data, record)
        return data


class _LegacyRecords:
    """The older kind: pickles first, then every storage behind its count of numbers."""

    def __init__(self, file: BinaryIO):
        self._file = file
        head = BytesIO(file.read(MAX_PICKLE_BYTES))
        if read_plain(head) != LEGACY_MAGIC:
            raise RefusedPickleError("a pickle, but not one of torch.save")
        read_plain(head)  # version of the format
        machine = read_plain(head)
        if isinstance(machine, dict) and machine.get("little_endian") is False:
            raise ValueError("numbers in big-endian order")
        self.content = read_plain(head)
        keys = read_plain(head)
        if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise ValueError("no list of storages")
        storages = {stored.storage.key: stored.storage for stored in tensors_in(self.content)}
        self._place = _places(file, head.tell(), keys, storages)

    def read(self, storage: Storage) -> bytearray:
        self._file.seek(self._place[storage])
        data = bytearray(storage.size * storage.dtype.itemsize)
        _fill(data, self._file)
        return data


def _fill(data: bytearray, file: Any) -> None:
    filled = 0
    while count := file.readinto(memoryview(data)[filled:]):
        filled += count
    if filled != len(data):
        raise EOFError("its numbers end early")


def _places(file: BinaryIO, position: int, keys: list[str], storages: dict[str, Storage]) -> dict[Storage, int]:
    room = os.fstat(file.fileno()).st_size
    places = {}
    for key in keys:
        file.seek(position)
        (count,) = struct.unpack("<q", file.read(COUNT_BYTES))
        storage = storages[key]
        position += COUNT_BYTES
        if count != storage.size or position + count * storage.dtype.itemsize > room:
            raise EOFError(f"storage {key} ends early")
        places[storage] = position
        position += count * storage.dtype.itemsize
    return places


def tensors_in(content: Any) -> list[StoredTensor]:
    """Every tensor anywhere in plain data, which may refer to itself."""
    found, waiting, seen = [], [content], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, StoredTensor):
            found.append(value)
        elif isinstance(value, (dict, list, tuple)) and id(value) not in seen:
            seen.add(id(value))
            waiting.extend(value.values() if isinstance(value, dict) else value)
    return found


def _open(path: Path) -> BinaryIO:
    if not path.exists():
        raise CheckpointError(f"{path} does not exist")
    if not path.is_file():
        raise CheckpointError(f"{path} is not a regular file")
    try:
        return path.open("rb")
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}") from error


def _what(head: bytes) -> str:
    if not head:
        return "empty"
    if head.startswith(b"<"):
        return "a web page (the download went wrong)"
    return "a text file" if head.isascii() else "some other file"
