# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Reading what is left of a bag that was cut off or damaged: every message that still is whole.

A recording that crashed lacks its index, its metadata.yaml, or its end. The files are read record by record instead,
once to count and once per use, in the order in which they were written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import yaml
from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

from depth_node.bags.files import STORAGE_SUFFIXES, storage_files
from depth_node.bags.reader import REPAIR, BagMessage, BagReader, BagTopic, DamagedBagError, Loss, header_stamp_ns
from depth_node.bags.salvage.mcap import McapScan, SavedMessage, decompress_prefix, zstd_decompressor
from depth_node.bags.salvage.sqlite import SqliteScan

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
IDL_SEPARATOR = "=" * 80 + "\n"


@dataclass
class _Count:
    """What the first pass found."""

    topics: dict[str, BagTopic]
    definitions: dict[str, tuple[str, str]]
    start_ns: int = 2**63 - 1
    end_ns: int = 0
    messages: int = 0
    lost_messages: int = 0
    lost_bytes: int = 0
    unfinished: tuple[str, ...] = ()


class SalvageReader(BagReader):
    """A damaged bag, used as `BagReader` is."""

    def __init__(self, path: str | Path, reason: str = "") -> None:
        """Remember the path and why the bag could not be opened as usual."""
        super().__init__(path)
        self._reason = reason
        self._stack = ExitStack()
        self._files: list[Path] = []
        self._count = _Count({}, {})
        self._store = get_typestore(Stores.ROS2_HUMBLE)
        self._damaged_messages = 0

    def __enter__(self) -> SalvageReader:
        """Count what is there; raises DamagedBagError when nothing is readable."""
        try:
            self._files = [self._plain(file) for file in storage_files(self.path)]
            self._count_messages()
            self._register_types()
        except BaseException as error:
            self._stack.close()
            if isinstance(error, OSError):
                raise DamagedBagError(f"bag {self.path} cannot be read: {error.strerror}") from None
            raise
        if not self._count.messages:
            self._stack.close()
            reason = f" ({self._reason})" if self._reason else ""
            raise DamagedBagError(f"bag {self.path} holds no readable message{reason}; {REPAIR}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove temporary files."""
        self._stack.close()

    @property
    def loss(self) -> Loss:
        """What could not be read so far; only reading everything finds every damaged message."""
        count = self._count
        unread = count.lost_messages + self._damaged_messages
        promised = promised_messages(self.path)
        missing = max(promised - count.messages + self._damaged_messages, unread) if promised else None
        if missing is None and not count.unfinished and not count.lost_bytes:
            missing = unread
        what = f"{', '.join(count.unfinished)} cut off" if count.unfinished else self._reason or "damaged"
        return Loss(missing, count.lost_bytes, what)

    @property
    def topics(self) -> tuple[BagTopic, ...]:
        """All topics with a readable message, by name."""
        return tuple(topic for _, topic in sorted(self._count.topics.items()))

    @property
    def time_range_ns(self) -> tuple[int, int]:
        """Recording time of the first and the last readable message, ns."""
        return self._count.start_ns, self._count.end_ns

    def messages(self, topics: str | Collection[str]) -> Iterator[BagMessage]:
        """Readable messages of one or several topics in order of writing; raises BagError for an unknown topic."""
        names = {self.topic(name).name for name in ([topics] if isinstance(topics, str) else topics)}
        self._damaged_messages = 0
        for file in self._files:
            for saved in _scan(file):
                if saved.topic in names and (message := self._message(saved)) is not None:
                    yield message

    def _message(self, saved: SavedMessage) -> BagMessage | None:
        raw = _decompressed(saved.data)
        try:
            message: Any = self._store.deserialize_cdr(raw, saved.type)
        except Exception:  # flipped bits make the parser raise nearly anything
            self._damaged_messages += 1
            return None
        return BagMessage(saved.topic, saved.type, saved.time_ns, header_stamp_ns(message), message, raw)

    def _plain(self, file: Path) -> Path:
        """The file itself, or what decompresses of it in a temporary folder."""
        if file.suffix != ".zstd":
            return file
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="depth_node_")))
        decompressor = zstd_decompressor()
        with file.open("rb") as source, (folder / file.stem).open("wb") as target:
            while part := source.read(1 << 20):
                target.write(decompress_prefix(decompressor, part))
                if decompressor.eof:
                    break
        return folder / file.stem

    def _count_messages(self) -> None:
        count = self._count
        for file in self._files:
            scan = _scan(file)
            for saved in scan:
                known = count.topics.get(saved.topic, BagTopic(saved.topic, saved.type, 0))
                count.topics[saved.topic] = replace(known, count=known.count + 1)
                if saved.definition:
                    count.definitions[saved.type] = (saved.definition, saved.encoding)
                count.start_ns, count.end_ns = min(count.start_ns, saved.time_ns), max(count.end_ns, saved.time_ns)
                count.messages += 1
            count.lost_bytes += scan.lost_bytes
            count.lost_messages += getattr(scan, "lost_messages", 0)
            if not scan.is_complete:
                count.unfinished += (file.name,)

    def _register_types(self) -> None:
        for kind, (definition, encoding) in self._count.definitions.items():
            try:
                if encoding == "ros2msg":
                    self._store.register(get_types_from_msg(definition, kind))
                else:
                    for part in definition.split(IDL_SEPARATOR):
                        if part.startswith("IDL: "):
                            self._store.register(get_types_from_idl(part.split("\n", 1)[1]))
            except Exception:  # a damaged definition: the types of the message packages do
                continue

    def _check_path(self) -> None:
        if not storage_files(self.path):
            super()._check_path()


def promised_messages(path: Path) -> int:
    """How many messages metadata.yaml says there are; 0 where it is missing or unreadable."""
    try:
        content = yaml.safe_load((path / "metadata.yaml").read_text(encoding="utf-8"))
        return int(content["rosbag2_bagfile_information"]["message_count"])
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError):
        return 0


def _scan(file: Path) -> McapScan | SqliteScan:
    return McapScan(file) if file.suffix == STORAGE_SUFFIXES[0] else SqliteScan(file)


def _decompressed(data: bytes) -> bytes:
    # CDR begins with 0, so that a message that was compressed on its own tells itself apart.
    return decompress_prefix(zstd_decompressor(), data) if data.startswith(ZSTD_MAGIC) else data
