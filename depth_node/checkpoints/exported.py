# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What an exported network says about itself: the checkpoint's description in the metadata of an ONNX file.

Read without ONNX' own package, which a robot need not have: of a protobuf message only the outermost fields are looked
at, the network itself is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from depth_node.checkpoints.depth_info import METADATA_KEY, CheckpointInfo, from_json
from depth_node.errors import CheckpointError

SUFFIX = ".onnx"
METADATA, KEY, VALUE = 14, 1, 2
"""Numbers of protobuf fields: ModelProto.metadata_props, and the two of its entries."""
VARINT, EIGHT_BYTES, DELIMITED, FOUR_BYTES = 0, 1, 2, 5
"""Kinds of protobuf fields."""
LARGEST = 1 << 24
"""Bytes of metadata that are still read."""


def is_exported(path: Path) -> bool:
    """Whether a path is that of an exported network, by its suffix."""
    return path.suffix.lower() == SUFFIX


def read_exported_info(path: Path) -> CheckpointInfo:
    """The description in an ONNX file of `depth export`; raises CheckpointError."""
    if not path.is_file():
        raise CheckpointError(f"exported network {path} does not exist or is no file")
    try:
        size = path.stat().st_size
        if not size:
            raise ValueError("it is empty")
        with path.open("rb") as file:
            text = _metadata(file, size).get(METADATA_KEY)
    except OSError as error:
        raise CheckpointError(f"cannot read exported network {path}: {error.strerror}") from error
    except ValueError as error:
        raise CheckpointError(f"{path} is no ONNX file, or it is damaged: copy it again ({error})") from error
    if text is None:
        raise CheckpointError(
            f"{path} has no depth_node description: only what `depth export` wrote of a checkpoint can run here"
        )
    return from_json(text, path)


def _metadata(file: BinaryIO, size: int) -> dict[str, str]:
    """The metadata entries of an ONNX file of so many bytes; raises ValueError where it is none."""
    found = {}
    for number, length in _fields(file, size):
        if number == METADATA:
            entry = {key: file.read(n).decode() for key, n in _fields(file, file.tell() + length)}
            found[entry.get(KEY, "")] = entry.get(VALUE, "")
    return found


def _fields(file: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    """Number and length of each field with content up to a place; what of it is not read is passed over."""
    while file.tell() < end:
        number, kind = divmod(_varint(file), 8)
        if kind == VARINT:
            _varint(file)
        elif kind in (EIGHT_BYTES, FOUR_BYTES):
            file.seek(8 if kind == EIGHT_BYTES else 4, 1)
        elif kind == DELIMITED:
            length = _varint(file)
            after = file.tell() + length
            if after > end or (number == METADATA and length > LARGEST):
                raise ValueError("a field is longer than the file")
            yield number, length
            file.seek(after)
        else:
            raise ValueError(f"unknown field of kind {kind}")


def _varint(file: BinaryIO) -> int:
    """A number in protobuf's groups of seven bits, lowest first."""
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            raise ValueError("it is cut off")
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("a number has no end")
