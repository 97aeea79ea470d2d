"""Bags in, KITTI-style sequence folder out: one drive per bag, its calibration, splits and a manifest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from depth_node import __version__
from depth_node.config.record import RecordConfig
from depth_node.config.setting import values
from depth_node.data import kitti
from depth_node.data.bag import BagReader
from depth_node.data.calibration import Row
from depth_node.data.frames import FrameStream, Source, check_kind, inspect_bag
from depth_node.data.kitti_calibration import write_calibration
from depth_node.data.kitti_timestamps import write_timestamps
from depth_node.data.manifest import (
    VERSION,
    BagRecord,
    CameraRecord,
    DriveRecord,
    DroppedFrame,
    KeptFrame,
    Manifest,
    read_manifest,
)
from depth_node.data.pictures import PictureWriter, WrittenPicture
from depth_node.data.rectification import Rectifier, should_rectify
from depth_node.data.split import split_stretch
from depth_node.data.staging import STAGING, staging_folder
from depth_node.errors import BagError, CalibrationError, SequenceError

Progress = Callable[[int, int], None]
"""Called with the number of pictures done and the number in all."""


def record(bags: Sequence[Path], output: Path, config: RecordConfig, progress: Progress | None = None) -> Manifest:
    """Write bags as a sequence folder, one drive per bag, or nothing at all.

    Args:
        bags: bag folders or files.
        output: the folder to write; new, empty, or holding this very recording already.
        config: settings.
        progress: told about every picture.

    Returns:
        The manifest, also in `output/manifest.json`.

    Raises:
        BagError: a bag is damaged, or its topics are missing or ambiguous.
        CalibrationError: the camera is uncalibrated or changes.
        EncodingError: the pictures cannot be decoded.
        SequenceError: the output holds something else or cannot be written.
    """
    if not bags:
        raise BagError("no bag to record: name at least one")
    output = Path(output).resolve()
    sources = [inspect_bag(Path(bag), config) for bag in bags]
    settings = {name: value for name, value in values(config).items() if name != "workers"}
    records = tuple(source.record for source in sources)
    if (done := _existing_recording(output, settings, records)) is not None:
        return done
    recorder = Recorder(config, sum(source.images for source in sources), progress)
    with staging_folder(output, last=kitti.MANIFEST) as staging:
        drives = tuple(recorder.write_drive(source, staging) for source in sources)
        train, val = _write_splits(staging, drives, config)
        manifest = Manifest(VERSION, __version__, settings, records, drives, train, val)
        (staging / kitti.MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
    return manifest


def _existing_recording(output: Path, settings: dict[str, Any], bags: tuple[BagRecord, ...]) -> Manifest | None:
    if not output.exists():
        return None
    if not output.is_dir():
        raise SequenceError(f"output {output} is a file: choose another --output folder")
    if all(path.name == STAGING for path in output.iterdir()):
        return None
    if not (output / kitti.MANIFEST).exists():
        raise SequenceError(f"output {output} is not empty and holds no recording: choose another --output")
    manifest = read_manifest(output / kitti.MANIFEST)
    if not manifest.same_input(settings, bags):
        raise SequenceError(f"output {output} holds a recording of other bags or settings: choose another --output")
    return manifest


def _write_splits(root: Path, drives: Sequence[DriveRecord], config: RecordConfig) -> tuple[int, int]:
    train: list[kitti.FrameReference] = []
    val: list[kitti.FrameReference] = []
    for drive in drives:
        for_train, for_val = split_stretch(len(drive.frames), config.val_fraction, config.context)
        train += [kitti.FrameReference(drive.folder, index) for index in for_train]
        val += [kitti.FrameReference(drive.folder, index) for index in for_val]
    kitti.write_split(root / kitti.TRAIN_SPLIT, train)
    kitti.write_split(root / kitti.VAL_SPLIT, val)
    return len(train), len(val)


class Recorder:
    """Writes one drive after the other into a staging folder."""

    def __init__(self, config: RecordConfig, images: int, progress: Progress | None = None) -> None:
        """Prepare for `images` pictures in all."""
        self._config = config
        self._total, self._done = images, 0
        self._progress = progress
        self._drives: dict[str, int] = {}
        self._calibrations: dict[str, tuple[Row, int, int]] = {}

    def write_drive(self, source: Source, root: Path) -> DriveRecord:
        """Write the drive of one bag; raises as `record`."""
        rectifier = Rectifier(source.camera, should_rectify(self._config.rectify, source.image_topic))
        writer = PictureWriter(self._config, rectifier)
        unnamed = root / "drive"  # the day is known with the first frame, the frames' numbers with the last
        stream = FrameStream(source, self._config, unnamed / kitti.LEFT / "data", writer.suffix)
        with BagReader(source.path) as bag, closing(writer.write_all(stream.jobs(bag))) as pictures:
            frames = self._keep_frames(source, pictures, stream.dropped)
        folder = self._place(unnamed, root, frames, source, rectifier)
        K = tuple(float(value) for value in rectifier.K.ravel())
        camera = source.camera
        return DriveRecord(
            folder.as_posix(),
            source.record.name,
            source.image_topic,
            source.camera_info_topic,
            CameraRecord(
                stream.frame_id,
                camera.width,
                camera.height,
                K,
                not rectifier.is_identity,
                camera.model,
                camera.intrinsics,
                camera.distortion,
            ),
            tuple(frames),
            tuple(sorted(stream.dropped, key=lambda frame: frame.source)),
        )

    def _keep_frames(
        self, source: Source, pictures: Iterable[WrittenPicture], dropped: list[DroppedFrame]
    ) -> list[KeptFrame]:
        frames: list[KeptFrame] = []
        kind = ""
        for picture in pictures:
            self._report(picture.job.source)
            job = picture.job
            if picture.problem:
                dropped.append(DroppedFrame(job.source, job.stamp_ns, picture.problem))
                continue
            kind = kind or picture.kind
            check_kind(source, picture, kind)
            index = len(frames)
            os.replace(job.path, job.path.with_name(kitti.frame_name(index, job.path.suffix)))
            frames.append(KeptFrame(index, job.source, job.stamp_ns, picture.sha256))
        if not frames:
            reasons = sorted({frame.reason for frame in dropped})
            raise BagError(f"no frame of {source.image_topic} in bag {source.path} can be used: {'; '.join(reasons)}")
        self._done += source.images
        return frames

    def _report(self, source_index: int) -> None:
        if self._progress is not None:
            self._progress(self._done + source_index + 1, self._total)

    def _place(
        self, unnamed: Path, root: Path, frames: Sequence[KeptFrame], source: Source, rectifier: Rectifier
    ) -> Path:
        stamps = [frame.stamp_ns for frame in frames]
        # pykitti takes the times of all sensors from oxts.
        for sensor in (kitti.LEFT, "oxts"):
            write_timestamps(unnamed / sensor / "timestamps.txt", stamps)
        date = kitti.date_name(stamps[0])
        camera = source.camera
        calibration = (tuple(rectifier.K.ravel()), camera.width, camera.height)
        if self._calibrations.setdefault(date, calibration) != calibration:
            raise CalibrationError(
                f"bag {source.path} has another calibration than the bags before it from the same day {date}, but "
                "KITTI keeps one per day: record it to an --output of its own"
            )
        write_calibration(root / date, rectifier.K, camera.width, camera.height, stamps[0])
        number = self._drives.get(date, self._config.drive)
        self._drives[date] = number + 1
        folder = kitti.drive_folder(date, number)
        os.replace(unnamed, root / folder)
        return folder
