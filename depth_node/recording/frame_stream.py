# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which pictures of a bag may become frames: topics, calibration, order of time, side data fed along the way.

For owners of side data: one bag may become several drives, known only at its end. Every message of a bag goes once, in
the bag's order, to each `SideWriter` that wants its topic; `finish` is then called once per drive, in order of time,
with that drive's frames (`manifest.KeptFrame`: index in the drive, stamp_ns) and a folder that holds their pictures.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from depth_node.bags.files import METADATA, input_files, write_ahead_log
from depth_node.bags.reader import BagImage, BagMessage, BagReader, DamagedBagError
from depth_node.bags.topics import choose_camera_info_topic, choose_image_topic, choose_odometry_topic
from depth_node.camera.bit_depth import BitDepth
from depth_node.camera.calibration import CameraCalibration, UncalibratedError
from depth_node.camera.calibration_file import read_camera
from depth_node.camera.encodings import has_sixteen_bits
from depth_node.camera.field_of_view import pinhole_camera
from depth_node.config.record import RecordConfig
from depth_node.config.video import FIRST_GUESS
from depth_node.errors import BagError, CalibrationError, EncodingError
from depth_node.kitti.timestamps import format_timestamp
from depth_node.recording.manifest import BagFile, BagRecord, LossRecord
from depth_node.recording.sensors.writers import SideWriter
from depth_node.recording.timeline import TimedImage, Timeline
from depth_node.sensing.odometry_track import OdometryTrack

ODOMETRY_PATIENCE_NS = 500_000_000
"""How long, in time of recording, a picture waits for odometry that comes after it."""
LOOKS = 24
"""Pictures of 16 bits that are looked at before recording, to know how many bits are in use."""


@dataclass(frozen=True)
class Source:
    """A bag as looked at before recording.

    Attributes:
        path: where it lies.
        record: what it is.
        image_topic: the camera.
        camera_info_topic: its calibration; empty where a file has it.
        odometry_topic: for the motion of the camera; empty where there is none.
        cameras: calibrations and the stamps from which on they hold; one unless changes may split.
        images: number of pictures.
        usual_ns: mean distance of two pictures.
        date_ns: stamp of the first picture.
        damaged: whether it must be read as a damaged bag.
        bits: in use of 16-bit pictures.
        reader: still open, to go on with; None where it must be opened again.
    """

    path: Path
    record: BagRecord
    image_topic: str
    camera_info_topic: str
    odometry_topic: str
    cameras: tuple[tuple[int, CameraCalibration], ...]
    images: int
    usual_ns: float
    date_ns: int
    damaged: bool
    bits: int = 16
    reader: BagReader | None = None


def inspect_bag(bag: BagReader, config: RecordConfig) -> Source:
    """Choose the topics of an open bag and read its calibration; raises BagError and CalibrationError."""
    image_topic = choose_image_topic(bag, config.image_topic, config.depth_topic)
    told = config.calibration or config.fov or config.learn_intrinsics
    info_topic = "" if told else choose_camera_info_topic(bag, image_topic, config.camera_info_topic)
    odometry_topic = "" if config.motion == "image" else choose_odometry_topic(bag, config.odometry_topic)
    if config.motion == "odometry" and not odometry_topic:
        raise BagError(f"bag {bag.path} has no odometry to go by: use --motion auto")
    images = bag.topic(image_topic).count
    first = next(iter(bag.images(image_topic)), None) if images else None
    if first is None:
        raise BagError(f"{bag.kind} {bag.path} has no messages on {image_topic}")
    start, end = bag.time_range_ns
    return Source(
        bag.path,
        bag_record(bag),
        image_topic,
        info_topic,
        odometry_topic,
        tuple(_cameras(bag, info_topic, config, first)),
        images,
        (end - start) / max(images - 1, 1),
        image_stamp(first, config),
        bag.loss is not None,
        config.bits or _used_bits(bag, first, image_topic, images),
    )


def _used_bits(bag: BagReader, first: BagImage, topic: str, images: int) -> int:
    """Bits in use of the pictures of a topic, by some of them from all over the bag; 16 where pictures are of bytes."""
    depth = BitDepth()
    if not has_sixteen_bits(first.message.encoding if not first.is_compressed else "", first.message.data):
        return 16
    step = max(images // LOOKS, 1)
    with suppress(DamagedBagError):  # what can be read will be
        for image in islice(bag.images(topic), 0, None, step):
            with suppress(EncodingError):
                _ = replace(image, depth=depth).rgb
    return depth.bits


def bag_record(bag: BagReader) -> BagRecord:
    """What a bag is, without its place on the disk."""
    path = bag.path
    parts = input_files(path)
    beside = [path / METADATA, *(write_ahead_log(file) for file in parts)]
    files = [*parts, *(file for file in beside if file.is_file() and file.stat().st_size)]
    start, end = bag.time_range_ns
    loss = bag.loss
    return BagRecord(
        path.resolve().name,
        tuple(BagFile(file.name, file.stat().st_size) for file in sorted(files)),
        sum(topic.count for topic in bag.topics),
        start,
        end,
        None if loss is None else LossRecord(loss.messages, loss.bytes, loss.note),
    )


def image_stamp(image: BagImage, config: RecordConfig) -> int:
    """The time of a picture by the clock that was asked for."""
    return image.time_ns if config.stamps == "bag" else image.stamp_ns


def _cameras(
    bag: BagReader, topic: str, config: RecordConfig, first: BagImage
) -> Iterator[tuple[int, CameraCalibration]]:
    if not topic and config.calibration:
        yield 0, read_camera(Path(config.calibration))
        return
    if not topic:
        height, width = first.rgb.shape[:2]
        yield 0, pinhole_camera(width, height, config.fov or FIRST_GUESS)
        return
    latest, unknown = None, None
    for message in bag.messages(topic):
        try:
            camera = CameraCalibration.from_camera_info(message.message)
        except UncalibratedError as error:  # some drivers load their calibration after they have begun to send
            unknown = error
            continue
        if latest is None or not camera.is_close(latest):
            yield (0 if latest is None else _stamp(message, config)), camera
            latest = camera
        if config.on_change == "error":  # watched while recording, without reading the bag twice
            return
    if latest is None and unknown is not None:
        raise CalibrationError(f"{unknown}, or give --calibration FILE")
    if latest is None:
        raise BagError(f"bag {bag.path} has no messages on {topic}: give --calibration FILE")


def _stamp(message: BagMessage, config: RecordConfig) -> int:
    return message.time_ns if config.stamps == "bag" or message.stamp_ns is None else message.stamp_ns


class FrameStream:
    """Pictures of a bag in order of time, dropped ones included, with the calibration watched along the way.

    Attributes:
        track: odometry so far; a picture comes out when odometry has gone past it.
        frame_id: of the first picture.
        seen: pictures read so far.
    """

    def __init__(self, source: Source, config: RecordConfig, writers: Sequence[SideWriter] = ()) -> None:
        """Prepare for one bag; every message that `writers` want goes to them."""
        self._source, self._config = source, config
        self._timeline = Timeline(config, source.usual_ns)
        self._feeds: dict[str, list[Callable[[str, Any, int], None]]] = {}
        for writer in writers:
            for topic in writer.topics:
                self._feeds.setdefault(topic, []).append(writer.add)
        self._held: deque[tuple[int, TimedImage]] = deque()
        self._camera = 0
        self._info = b""
        self._depth = BitDepth(source.bits)
        self.track = OdometryTrack() if source.odometry_topic else None
        self.frame_id = ""
        self.seen = 0

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics to read."""
        source = self._source
        chosen = {source.image_topic, source.camera_info_topic, source.odometry_topic, *self._feeds} - {""}
        return tuple(sorted(chosen))

    def read(self, bag: BagReader) -> Iterator[TimedImage]:
        """Pictures in order; raises BagError and CalibrationError."""
        for message in bag.messages(self.topics):
            topic = message.topic
            stamp_ns = _stamp(message, self._config)
            for feed in self._feeds.get(topic, ()):
                feed(topic, message.message, stamp_ns)
            if topic == self._source.odometry_topic and self.track is not None:
                self.track.add(message.message, stamp_ns)
            elif topic == self._source.camera_info_topic and self._config.on_change == "error":
                self._check_calibration(message.message, message.time_ns, message.raw)
            elif topic == self._source.image_topic:
                self._hold(message.time_ns, self._timeline.add(self._picture(message)))
            yield from self._release(message.time_ns)
        self._hold(0, self._timeline.finish())
        yield from (image for _, image in self._held)
        self._held.clear()

    def _picture(self, message: BagMessage) -> TimedImage:
        image = BagImage.of(message, self._depth)
        self.frame_id = self.frame_id or image.frame_id
        stamp_ns, number = image_stamp(image, self._config), self.seen
        self.seen += 1
        starts = [start for start, _ in self._source.cameras]
        camera = max((index for index, start in enumerate(starts) if start <= stamp_ns), default=0)
        begins = "the calibration changed" if camera != self._camera else ""
        self._camera = camera
        return TimedImage(number, stamp_ns, image, begins, camera)

    def _hold(self, now_ns: int, images: Iterator[TimedImage]) -> None:
        for image in images:
            # Nobody looks at a dropped picture: its pixels need not wait along with it.
            self._held.append((now_ns, image.without_pixels() if image.dropped else image))

    def _release(self, now_ns: int) -> Iterator[TimedImage]:
        """Pictures that odometry has passed, or that have waited long enough for it."""
        reached = self.track.latest_ns if self.track is not None else None
        while self._held:
            read_ns, image = self._held[0]
            if reached is not None and image.stamp_ns > reached and now_ns - read_ns < ODOMETRY_PATIENCE_NS:
                return
            self._held.popleft()
            yield image

    def _check_calibration(self, info: Any, time_ns: int, raw: bytes | memoryview) -> None:
        # Behind the encapsulation (4 bytes) and the stamp (8) all bytes stay the same: nothing to look at.
        if raw[12:] == self._info:
            return
        self._info = bytes(raw[12:])
        try:
            camera = CameraCalibration.from_camera_info(info)
        except UncalibratedError:  # passed over at the start, too
            return
        if not camera.is_close(self._source.cameras[0][1]):
            raise CalibrationError(
                f"the calibration on {self._source.camera_info_topic} changes at {format_timestamp(time_ns)}: "
                "--on_change split starts a new drive there, --calibration FILE takes one for all, or cut the bag "
                "(ros2 bag convert)"
            )
