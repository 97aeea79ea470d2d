# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is in a bag: topics, rates, gaps, pictures, calibration, and whether the recorder can begin with it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.bags.message_types import (
    CAMERA_INFO,
    COMPRESSED_IMAGE,
    GNSS,
    IMAGE,
    IMU,
    ODOMETRY,
    POINT_CLOUD,
    TF_MESSAGE,
    camera_info_beside,
)
from depth_node.bags.opening import open_bag
from depth_node.bags.reader import BagImage, BagMessage, BagReader, BagTopic, DamagedBagError
from depth_node.bags.topics import choose_camera_info_topic, choose_image_topic
from depth_node.camera.bit_depth import BitDepth
from depth_node.camera.calibration import CameraCalibration
from depth_node.errors import BagError, CalibrationError, EncodingError

KNOWN = {IMAGE, COMPRESSED_IMAGE, CAMERA_INFO, POINT_CLOUD, ODOMETRY, IMU, GNSS, TF_MESSAGE}
"""Types that are read even where a bag holds others that nobody can read."""
GAP_INTERVALS = 2.5
"""A pause of this many usual intervals is a gap, for `depth inspect` and for the recorder alike."""
SIDE_FLAGS = {
    POINT_CLOUD: "--lidar_topic",
    ODOMETRY: "--odometry_topic",
    IMU: "--imu_topic",
    GNSS: "--gnss_topic",
}
"""How the recorder is told which of several topics of a type to take."""
CHANGES, OTHER_SIZE = "changes in mid-bag", "describes"
SAMPLES = 12
"""Pictures of a topic on the contact sheet."""
SECOND = 1e9


@dataclass
class TopicInspection:
    """A topic of a bag.

    Attributes:
        name: of the topic.
        type: `package/msg/Type`.
        count: messages that the bag says to have, or that could be read of a damaged one.
        times_ns: when each was recorded; empty where its type cannot be read.
        detail: resolution and encoding, calibration or frame, for people.
        problems: what is wrong with it, for people.
        samples: some pictures of it, with their time.
    """

    name: str
    type: str
    count: int
    times_ns: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    detail: str = ""
    problems: list[str] = field(default_factory=list)
    samples: list[tuple[int, NDArray[np.uint8]]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Usual messages per second (by the median interval); 0 for fewer than two."""
        intervals = np.diff(np.sort(self.times_ns))
        middle = float(np.median(intervals)) if len(intervals) else 0.0
        return SECOND / middle if middle > 0 else 0.0

    @property
    def gaps(self) -> list[tuple[int, float]]:
        """Pauses: time of the last message before (ns) and length (s)."""
        times = np.sort(self.times_ns)
        intervals = np.diff(times)
        if not self.rate:
            return []
        long = np.flatnonzero(intervals > GAP_INTERVALS * SECOND / self.rate)
        return [(int(times[index]), float(intervals[index]) / SECOND) for index in long]

    def record(self) -> dict[str, Any]:
        """Everything but pictures, JSON-able."""
        gaps = [{"at_ns": at, "seconds": round(length, 6)} for at, length in self.gaps]
        about = {"name": self.name, "type": self.type, "messages": self.count, "rate": round(self.rate, 4)}
        return about | {"gaps": gaps, "detail": self.detail, "problems": self.problems}


@dataclass(frozen=True)
class BagInspection:
    """A whole bag.

    Attributes:
        path: of the bag.
        bytes: of its files.
        start_ns: time of recording of the first message.
        end_ns: of the last one.
        topics: by name.
        damage: what could not be read, for people; empty for a whole bag.
        advice: the command to go on with, or the question to answer first.
    """

    path: Path
    bytes: int
    start_ns: int
    end_ns: int
    topics: tuple[TopicInspection, ...]
    damage: str
    advice: str

    @property
    def seconds(self) -> float:
        """From the first to the last message."""
        return (self.end_ns - self.start_ns) / SECOND

    def record(self) -> dict[str, Any]:
        """Everything but pictures, JSON-able."""
        about = {"bag": self.path.name, "bytes": self.bytes, "start_ns": self.start_ns, "end_ns": self.end_ns}
        topics = [topic.record() for topic in self.topics]
        return about | {"damage": self.damage, "advice": self.advice, "topics": topics}


def inspect(path: Path, progress: Callable[[int, int], None] | None = None) -> BagInspection:
    """Read a bag once and say what is in it.

    Args:
        path: bag folder or file, damaged or not.
        progress: called with messages read and messages in all.

    Raises:
        BagError: there is no bag, or nothing of it is readable.
    """
    try:
        with open_bag(path) as bag:
            return _inspect(bag, progress)
    except DamagedBagError:
        with open_bag(path, salvage=True) as bag:
            return _inspect(bag, progress)


def _inspect(bag: BagReader, progress: Callable[[int, int], None] | None) -> BagInspection:
    readers = {topic.name: _TopicReader(topic) for topic in bag.topics}
    total = sum(topic.count for topic in bag.topics)
    for done, message in enumerate(_messages(bag, readers), 1):
        readers[message.topic].add(message)
        if progress is not None and done % 50 == 0:
            progress(done, total)
    _check_sizes(readers)
    _check_places(readers)
    topics = tuple(reader.finish() for reader in readers.values())
    loss, (start, end) = bag.loss, bag.time_range_ns
    damage = "" if loss is None else _describe(asdict(loss))
    files = [bag.path] if bag.path.is_file() else [file for file in bag.path.iterdir() if file.is_file()]
    return BagInspection(
        bag.path, sum(file.stat().st_size for file in files), start, end, topics, damage, _advice(bag, topics)
    )


def _messages(bag: BagReader, readers: dict[str, _TopicReader]) -> Iterator[BagMessage]:
    """All messages; where a bag holds types without a definition, those of known types."""
    names = [name for name, reader in readers.items() if reader.topic.count]
    for choice in (names, [name for name in names if readers[name].topic.type in KNOWN]):
        try:
            yield from bag.messages(choice) if choice else ()
            return
        except DamagedBagError:
            if choice is not names or set(choice) == {n for n in names if readers[n].topic.type in KNOWN}:
                raise
            for reader in readers.values():
                reader.restart()


class _TopicReader:
    """Gathers what is to be known of one topic.

    Attributes:
        topic: as the bag has it.
        sizes: of its pictures or calibrations, pixels.
    """

    def __init__(self, topic: BagTopic) -> None:
        self.topic = topic
        self.restart()

    def restart(self) -> None:
        """Forget everything."""
        self._times = array("q")
        self._backwards = 0
        self._latest: int | None = None
        self._details: dict[str, int] = {}
        self._problems: dict[str, int] = {}
        self._samples: list[tuple[int, NDArray[np.uint8]]] = []
        self._depth = BitDepth()
        self._camera: CameraCalibration | None = None
        self.sizes: set[tuple[int, int]] = set()

    def add(self, message: BagMessage) -> None:
        """Take the next message."""
        number = len(self._times)
        self._times.append(message.time_ns)
        if message.stamp_ns is not None:
            self._backwards += self._latest is not None and message.stamp_ns <= self._latest
            self._latest = max(message.stamp_ns, self._latest or 0)
        detail, problem = self._describe(message, number)
        self._details[detail] = self._details.get(detail, 0) + 1
        if problem:
            self.add_problem(problem)

    def add_problem(self, text: str) -> None:
        """Note what is wrong, once however often."""
        self._problems[text] = self._problems.get(text, 0) + 1

    def finish(self) -> TopicInspection:
        """The result."""
        problems = [f"{count} x {text}" if count > 1 else text for text, count in self._problems.items()]
        details = [text for text in self._details if text]
        if len(details) > 1:
            problems.append(f"{CHANGES}: {'; then '.join(details[:3])}")
        if self._backwards and self.topic.type != TF_MESSAGE:
            problems.append(f"{self._backwards} stamps repeat or go back")
        times = np.array(self._times, np.int64)
        return TopicInspection(
            self.topic.name, self.topic.type, self.topic.count, times, details[0] if details else "", problems,
            self._samples,
        )  # fmt: skip

    def _describe(self, message: BagMessage, number: int) -> tuple[str, str]:
        try:
            if self.topic.type in (IMAGE, COMPRESSED_IMAGE):
                return self._picture(BagImage.of(message, self._depth), number)
            if self.topic.type == CAMERA_INFO:
                camera = CameraCalibration.from_camera_info(message.message)
                if self._camera is None or not camera.is_close(self._camera):  # a lens that focuses is one camera
                    self._camera = camera
                self.sizes.add((camera.width, camera.height))
                return describe_camera(self._camera), ""
            return _describe_sensor(self.topic.type, message.message), ""
        except (EncodingError, CalibrationError, BagError) as error:
            return "", str(error)

    def _picture(self, image: BagImage, number: int) -> tuple[str, str]:
        wanted = np.unique(np.linspace(0, max(self.topic.count - 1, 0), SAMPLES).round())
        if number in wanted:
            self._samples.append((image.time_ns, image.rgb))
        if image.is_compressed:
            if self._samples:
                self.sizes.add(self._samples[-1][1].shape[1::-1])
            size = "{}x{} ".format(*self._samples[-1][1].shape[1::-1]) if self._samples else ""
            return f"{size}{image.message.format or 'compressed'}", ""
        message = image.message
        self.sizes.add((int(message.width), int(message.height)))
        return f"{message.width}x{message.height} {message.encoding}", ""


def _describe_sensor(kind: str, message: Any) -> str:
    if kind == POINT_CLOUD:
        return f"{','.join(entry.name for entry in message.fields)} in {message.header.frame_id}"
    if kind == ODOMETRY:
        return f"{message.child_frame_id} in {message.header.frame_id}"
    return f"in {message.header.frame_id}" if kind in (IMU, GNSS) else ""


def describe_camera(camera: CameraCalibration) -> str:
    """A calibration in a few words."""
    K = camera.K
    view = 2 * np.degrees(np.arctan(camera.width / 2 / K[0, 0]))
    lens = "no distortion" if camera.is_rectified else f"{camera.model} {np.round(camera.D, 3).tolist()}"
    center = f"{K[0, 2]:.0f} {K[1, 2]:.0f}"
    return f"{camera.width}x{camera.height}, f {K[0, 0]:.1f} {K[1, 1]:.1f} px ({view:.0f} degrees), c {center}, {lens}"


def _check_sizes(readers: dict[str, _TopicReader]) -> None:
    """Note on an image topic that its neighbouring camera_info is for another size."""
    for name, reader in readers.items():
        info = readers.get(camera_info_beside(name))
        if reader.topic.type not in (IMAGE, COMPRESSED_IMAGE) or info is None or not (info.sizes and reader.sizes):
            continue
        if info.sizes.isdisjoint(reader.sizes):
            sizes = " or ".join(f"{width}x{height}" for width, height in sorted(info.sizes))
            reader.add_problem(f"{info.topic.name} {OTHER_SIZE} {sizes}")


def _check_places(readers: dict[str, _TopicReader]) -> None:
    """Note on a lidar that nothing in the bag says where it sits."""
    if any(name.endswith("/tf_static") and reader.topic.count for name, reader in readers.items()):
        return
    for reader in readers.values():
        if reader.topic.type == POINT_CLOUD and reader.topic.count:
            reader.add_problem("without /tf_static nobody knows where it sits: `depth record` needs --extrinsics FILE")


def _describe(loss: dict[str, Any]) -> str:
    parts = [f"{value} {key}" for key, value in loss.items() if value and not isinstance(value, str)]
    notes = [value for value in loss.values() if isinstance(value, str) and value]
    return f"{', '.join(notes) or 'damaged'}: {', '.join(parts) or 'an unknown number of messages'} lost"


def _advice(bag: BagReader, topics: Sequence[TopicInspection]) -> str:
    """What to do next: the command that will work, or the question that the recorder would ask."""
    try:
        image = choose_image_topic(bag)
        info = choose_camera_info_topic(bag, image)
    except (BagError, CalibrationError) as error:
        return str(error)
    by_name = {topic.name: topic for topic in topics}
    for problem in by_name[info].problems:
        if not by_name[info].detail:  # not one calibration could be read
            return f"{problem.removeprefix(f'{by_name[info].count} x ')}, or give --calibration FILE to `depth record`"
    for problem in by_name[image].problems:
        if problem.startswith(f"{info} {OTHER_SIZE}"):
            return f"{problem}, but {image} is {by_name[image].detail}: give --calibration FILE to `depth record`"
    command = f"depth record {bag.path} --image_topic {image}"
    if any(problem.startswith(CHANGES) for name in (image, info) for problem in by_name[name].problems):
        command += " --on_change split"
    for kind, flag in SIDE_FLAGS.items():
        names = [topic.name for topic in topics if topic.type == kind and topic.count]
        command += f" {flag} {names[0]}" if len(names) > 1 else ""
    return f"{command} --output recorded"
