"""Which pictures of a bag become frames: in order of time, from one unchanging camera."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depth_node.config.record import RecordConfig
from depth_node.data.bag import BagImage, BagReader
from depth_node.data.calibration import CameraCalibration
from depth_node.data.kitti_timestamps import format_timestamp
from depth_node.data.manifest import BagFile, BagRecord, DroppedFrame
from depth_node.data.pictures import PictureJob, WrittenPicture
from depth_node.data.topics import choose_camera_info_topic, choose_image_topic
from depth_node.errors import BagError, CalibrationError


@dataclass(frozen=True)
class Source:
    """A bag as looked at before recording: what it is, which topics to use, its camera."""

    path: Path
    record: BagRecord
    image_topic: str
    camera_info_topic: str
    camera: CameraCalibration
    images: int


def inspect_bag(path: Path, config: RecordConfig) -> Source:
    """Open a bag, choose its topics and read its calibration; raises BagError and CalibrationError."""
    with BagReader(path) as bag:
        image_topic = choose_image_topic(bag, config.image_topic)
        info_topic = choose_camera_info_topic(bag, image_topic, config.camera_info_topic)
        images = bag.topic(image_topic).count
        first_info = next(bag.messages(info_topic), None)
        if not images or first_info is None:
            raise BagError(f"bag {path} has no messages on {image_topic if not images else info_topic}")
        camera = CameraCalibration.from_camera_info(first_info.message)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        start, end = bag.time_range_ns
        record = BagRecord(
            path.resolve().name,
            tuple(BagFile(file.name, file.stat().st_size) for file in files if file.is_file()),
            sum(topic.count for topic in bag.topics),
            start,
            end,
        )
    return Source(path, record, image_topic, info_topic, camera, images)


class FrameStream:
    """Pictures of a bag that may become frames, with the calibration watched along the way.

    The calibration may not change, so pairing each picture by stamp, with the last one or with one latched at the
    end of the bag all come to the same.

    Attributes:
        dropped: frames left out so far.
        frame_id: of the first frame.
    """

    def __init__(self, source: Source, config: RecordConfig, folder: Path, suffix: str) -> None:
        """Prepare for one bag; pictures go to `folder` under provisional names."""
        self._source, self._config, self._folder, self._suffix = source, config, folder, suffix
        self.dropped: list[DroppedFrame] = []
        self.frame_id = ""

    def jobs(self, bag: BagReader) -> Iterator[PictureJob]:
        """Pictures to write, in order; `dropped` grows along the way. Raises BagError and CalibrationError."""
        self._folder.mkdir(parents=True)
        number, latest = -1, None
        for message in bag.messages([self._source.image_topic, self._source.camera_info_topic]):
            if message.topic == self._source.camera_info_topic:
                self._check_calibration(message.message, message.time_ns)
                continue
            number += 1
            image = BagImage.of(message)
            stamp_ns = image.time_ns if self._config.stamps == "bag" else image.stamp_ns
            if latest is not None and stamp_ns <= latest:
                self.dropped.append(DroppedFrame(number, stamp_ns, _order_problem(stamp_ns, latest)))
                continue
            latest, self.frame_id = stamp_ns, self.frame_id or image.frame_id
            # A name of its own until the frame's number is sure: an undecodable picture takes none.
            yield PictureJob(number, stamp_ns, image, self._folder / f"source{number}{self._suffix}")

    def _check_calibration(self, info: Any, time_ns: int) -> None:
        if CameraCalibration.from_camera_info(info) != self._source.camera:
            raise CalibrationError(
                f"the calibration on {self._source.camera_info_topic} changes at {format_timestamp(time_ns)}: "
                "cut the bag there (ros2 bag convert) and record the parts to separate outputs"
            )


def _order_problem(stamp_ns: int, latest_ns: int) -> str:
    return "same stamp as the frame before" if stamp_ns == latest_ns else "stamp before that of an earlier frame"


def check_kind(source: Source, picture: WrittenPicture, kind: str) -> None:
    """Raise BagError unless a picture is like the first, CalibrationError unless it is as calibrated."""
    if picture.kind != kind:
        raise BagError(
            f"images on {source.image_topic} change from {kind} to {picture.kind} at "
            f"{format_timestamp(picture.job.stamp_ns)}: cut the bag there and record the parts to separate outputs"
        )
    source.camera.check_image(picture.width, picture.height)
