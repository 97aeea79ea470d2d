# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Reading ROS 2 bags (sqlite3 and mcap, split or zstd-compressed) without a ROS installation."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import cv2
import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from depth_node.bags.files import ROS1, is_ros1, write_ahead_log
from depth_node.bags.mcap_in_place import InPlaceReader
from depth_node.bags.message_types import COMPRESSED_IMAGE, IMAGE
from depth_node.camera.bit_depth import FULL, BitDepth
from depth_node.camera.encodings import decode_compressed, decode_image
from depth_node.errors import BagError

REPAIR = "`mcap recover` or `ros2 bag reindex` may save what is in it"


class DamagedBagError(BagError):
    """A bag is damaged or cut off: `open_bag` may still read a part of it."""


@dataclass(frozen=True)
class Loss:
    """What could not be read of a damaged bag.

    Attributes:
        messages: how many are missing; None where nothing says how many there were.
        bytes: of the bag's files that hold no readable record.
        note: what is wrong with the bag, for people.
    """

    messages: int | None
    bytes: int
    note: str


@dataclass(frozen=True)
class BagTopic:
    """A topic of a bag: name, message type (`package/msg/Type`), number of messages."""

    name: str
    type: str
    count: int


@dataclass(frozen=True)
class BagMessage:
    """One message of a bag.

    Attributes:
        topic: its topic.
        type: `package/msg/Type`.
        time_ns: when it was recorded, ns.
        stamp_ns: its header's stamp, ns; None where the type has no header.
        message: the message, with the attributes that rclpy's has; arrays are NumPy arrays.
        raw: the serialized message, as bytes for `rclpy.serialization.deserialize_message`; may be a view. Of ROS 1 in
            its own format.
    """

    topic: str
    type: str
    time_ns: int
    stamp_ns: int | None
    message: Any
    raw: bytes | memoryview


@dataclass(frozen=True)
class BagImage:
    """One picture of a bag; it is decoded when asked for, so that worker threads can do it.

    Attributes:
        time_ns: when it was recorded, ns.
        stamp_ns: when it was taken (header), ns.
        frame_id: its optical frame.
        message: the Image or CompressedImage.
        is_compressed: which of the two.
        depth: the bits in use of 16-bit pictures.
    """

    time_ns: int
    stamp_ns: int
    frame_id: str
    message: Any
    is_compressed: bool
    depth: BitDepth = FULL

    @classmethod
    def of(cls, message: BagMessage, depth: BitDepth = FULL) -> BagImage:
        """The picture in a message; raises BagError when it holds none."""
        if message.type not in (IMAGE, COMPRESSED_IMAGE) or message.stamp_ns is None:
            raise BagError(f"topic '{message.topic}' is of type {message.type}, not an image: name an image topic")
        compressed = message.type == COMPRESSED_IMAGE
        return cls(
            message.time_ns, message.stamp_ns, message.message.header.frame_id, message.message, compressed, depth
        )

    @property
    def bgr(self) -> NDArray[np.uint8]:
        """The picture decoded in OpenCV's order: (H, W, 3) uint8 BGR, read-only or not. Raises EncodingError."""
        m = self.message
        if not self.is_compressed and m.encoding == "bgr8":
            return decode_image(m.height, m.width, "rgb8", m.step, False, m.data)  # three channels as they are
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2BGR), np.uint8)

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """The picture decoded: (H, W, 3) uint8 RGB, read-only or not. Raises EncodingError."""
        m = self.message
        if self.is_compressed:
            return decode_compressed(m.data, m.format, self.depth)
        return decode_image(m.height, m.width, m.encoding, m.step, bool(m.is_bigendian), m.data, self.depth)


class BagReader:
    """An open bag: a folder with metadata.yaml, a single .mcap or .db3 file, or a .bag of ROS 1. Use it with `with`.

    Attributes:
        kind: what it is, for people.
    """

    kind: ClassVar[str] = "bag"

    def __init__(self, path: str | Path) -> None:
        """Remember the path; raises BagError when there is nothing that could be a bag."""
        self.path = Path(path)
        self._check_path()
        self._reader: AnyReader | None = None

    @property
    def loss(self) -> Loss | None:
        """What could not be read; None for a bag that is whole."""
        return None

    def __enter__(self) -> BagReader:
        """Open the bag; raises BagError when it is damaged."""
        try:
            for file in [self.path] if self.path.is_file() else self.path.glob("*.db3"):
                _check_sqlite(file)
            # Humble and older write no message definitions into sqlite3 bags.
            self._reader = AnyReader([self.path], default_typestore=get_typestore(Stores.ROS2_HUMBLE))
            if not is_ros1(self.path):
                self._reader.readers = [InPlaceReader(self.path)]
            self._reader.open()
        except Exception as error:  # a damaged file makes the parsers raise nearly anything
            raise self._damaged(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the bag."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    @property
    def topics(self) -> tuple[BagTopic, ...]:
        """All topics, by name."""
        infos = self._open_reader.topics.items()
        return tuple(BagTopic(name, info.msgtype or "several types", info.msgcount) for name, info in sorted(infos))

    @property
    def time_range_ns(self) -> tuple[int, int]:
        """Recording time of the first and the last message, ns."""
        return self._open_reader.start_time, self._open_reader.end_time - 1

    def topic(self, name: str) -> BagTopic:
        """A topic by name; raises BagError when it is not in the bag."""
        found = {topic.name: topic for topic in self.topics}
        if name not in found:
            raise BagError(f"bag {self.path} has no topic '{name}': it has {', '.join(found) or 'none at all'}")
        return found[name]

    def messages(self, topics: str | Collection[str]) -> Iterator[BagMessage]:
        """Messages of one or several topics in order of recording.

        Raises:
            BagError: a topic is not in the bag, or the bag is damaged or holds fewer messages than it says.
        """
        wanted = [self.topic(name) for name in ([topics] if isinstance(topics, str) else topics)]
        names = {topic.name for topic in wanted}
        connections = [c for c in self._open_reader.connections if c.topic in names]
        stream, count = self._open_reader.messages(connections), 0
        while (message := self._next(stream)) is not None:
            count += 1
            yield message
        expected = sum(topic.count for topic in wanted)
        if count < expected:
            raise DamagedBagError(f"bag {self.path} is cut off: it holds {count} of {expected} messages; {REPAIR}")

    def images(self, topic: str) -> Iterator[BagImage]:
        """Pictures of an Image or CompressedImage topic in order of recording; raises BagError."""
        for message in self.messages(topic):
            yield BagImage.of(message)

    def _next(self, stream: Iterator[tuple[Any, int, bytes | memoryview]]) -> BagMessage | None:
        try:
            connection, time_ns, raw = next(stream)
            types = self._open_reader.typestore
            deserialize = types.deserialize_cdr if self._open_reader.is2 else types.deserialize_ros1
            # A view: rosbags would copy all of it to skip the first four bytes.
            message: Any = deserialize(memoryview(raw), connection.msgtype)
        except StopIteration:
            return None
        except Exception as error:  # as on opening: a flipped bit may surface anywhere in the parsers
            raise self._damaged(error) from None
        return BagMessage(connection.topic, connection.msgtype, time_ns, header_stamp_ns(message), message, raw)

    @property
    def _open_reader(self) -> AnyReader:
        if self._reader is None:
            raise BagError(f"bag {self.path} is not open")
        return self._reader

    def _check_path(self) -> None:
        _check_path(self.path)

    def _damaged(self, error: Exception) -> DamagedBagError:
        reason = " ".join(str(error).split()) or type(error).__name__
        return DamagedBagError(f"bag {self.path} cannot be read, it is damaged or cut off ({reason}); {REPAIR}")


def header_stamp_ns(message: Any) -> int | None:
    """The stamp of a message's header, ns; None where the type has no header."""
    header = getattr(message, "header", None)
    return header.stamp.sec * 1_000_000_000 + header.stamp.nanosec if header is not None else None


def _check_sqlite(file: Path) -> None:
    """Raise ValueError for a database that rosbags would take for whole.

    Of one that is shorter than its header says, SQLite reads the missing end as zeros; rows in a write-ahead log are
    passed over in silence.
    """
    if (log := write_ahead_log(file)).is_file() and log.stat().st_size:
        raise ValueError(f"its newest messages are still in {log.name}")
    with file.open("rb") as stream:
        header = stream.read(100)
    if header.startswith(b"SQLite format 3\0") and len(header) == 100:
        page, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
        size, expected = file.stat().st_size, (65536 if page == 1 else page) * pages
        if size < expected:
            raise ValueError(f"{file.name} has {size} of {expected} bytes")


def _check_path(path: Path) -> None:
    if not path.exists():
        raise BagError(f"bag {path} does not exist")
    if path.is_dir() and not (path / "metadata.yaml").exists():
        files = sorted(file.name for file in path.iterdir() if file.suffix in (".mcap", ".db3"))
        hint = f"give the file {path / files[0]} itself" if len(files) == 1 else "run `ros2 bag reindex` on it"
        raise BagError(f"{path} has no metadata.yaml: {hint if files else 'it is not a bag'}")
    if path.suffix == ".mcap" and (profile := _profile(path)) not in ("", "ros2"):
        raise BagError(
            f"{path} is no recording of ROS 2 but of '{profile}'"
            + (f": give the {ROS1} file that it was made of, which can be read as it is" if profile == "ros1" else "")
        )
    if path.is_file() and path.suffix not in (".mcap", ".db3", ROS1):
        raise BagError(
            f"{path} is not a bag: give a bag folder (with metadata.yaml), a .mcap, .db3 or {ROS1} file, or a video"
        )


def _profile(path: Path) -> str:
    """What an mcap file says it is of; empty where it says nothing, or is no mcap file."""
    try:
        with path.open("rb") as stream:
            head = stream.read(64)
    except OSError:
        return ""
    if not head.startswith(b"\x89MCAP0\r\n\x01"):
        return ""
    size = int.from_bytes(head[17:21], "little")
    return head[21 : 21 + size].decode("ascii", "replace")
