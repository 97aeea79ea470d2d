# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One bag recorded: its pictures, the drives they fall into, and what became of every frame.

A part is written into a folder of its own and knows neither days nor numbers of other bags' drives, so that bags can
be recorded by different machines and put together later. `part.json` is written last: where it is, the part is whole.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from depth_node.atomic_file import swapping
from depth_node.bags.opening import open_bag
from depth_node.bags.reader import BagReader, DamagedBagError
from depth_node.camera.calibration import CameraCalibration
from depth_node.camera.rectification import Rectifier, should_rectify
from depth_node.config.record import RecordConfig
from depth_node.kitti import layout
from depth_node.kitti.timestamps import write_timestamps
from depth_node.recording.frame_selection import Measures, Selector
from depth_node.recording.frame_stream import FrameStream, Source, bag_record
from depth_node.recording.journal import Journal
from depth_node.recording.manifest import (
    BagRecord,
    CameraRecord,
    DriveRecord,
    DroppedFrame,
    KeptFrame,
    bag_of,
    drive_of,
    to_json,
)
from depth_node.recording.picture_writer import Outcome, PictureWriter
from depth_node.recording.sensors.writers import SideWriter, finish_side_writers, open_side_writers

PART, PICTURES, DRIVES, SPILL = "part.json", "pictures", "drives", "spill"


@dataclass(frozen=True)
class Part:
    """What came of a bag; folders of drives are relative to the part's."""

    bag: BagRecord
    drives: tuple[DriveRecord, ...]


@dataclass
class Stretch:
    """Frames in a row, on their way to become a drive."""

    begins: str
    camera: int
    kept: list[Outcome] = field(default_factory=list)
    dropped: list[DroppedFrame] = field(default_factory=list)


def read_part(folder: Path) -> Part | None:
    """A finished part; None where it is not finished."""
    try:
        content = json.loads((folder / PART).read_text(encoding="utf-8"))
        return Part(bag_of(content["bag"]), tuple(drive_of(drive) for drive in content["drives"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


class PartRecorder:
    """Records one bag into a folder, or goes on where an interrupted process stopped."""

    def __init__(self, source: Source, config: RecordConfig, folder: Path, progress: Callable[[int], None]) -> None:
        """Prepare; `progress` is told the number of pictures done."""
        self._source, self._config, self._folder, self._progress = source, config, folder, progress
        rectify = should_rectify(config.rectify, source.image_topic)
        self._cameras = [(camera, Rectifier(camera, rectify, crop=True)) for _, camera in source.cameras]

    def run(self) -> Part:
        """Record; raises as `recorder.record`."""
        finished = read_part(self._folder)
        if finished is not None:
            return finished
        (self._folder / PICTURES).mkdir(parents=True, exist_ok=True)
        try:
            part = self._attempt(self._source.damaged, self._source.reader)
        except DamagedBagError:
            if self._source.damaged:
                raise
            part = self._attempt(salvage=True)
        with swapping(self._folder / PART) as temporary:
            temporary.write_text(to_json(part), encoding="utf-8")
        shutil.rmtree(self._folder / PICTURES)
        return part

    def _attempt(self, salvage: bool, reader: BagReader | None = None) -> Part:
        for unfinished in (DRIVES, SPILL):
            shutil.rmtree(self._folder / unfinished, ignore_errors=True)
        opened = open_bag(self._source.path, salvage, self._config) if reader is None else nullcontext(reader)
        with opened as bag:
            writers = open_side_writers(bag, self._config, self._folder / SPILL)
            stream = FrameStream(self._source, self._config, writers)
            stretches, dropped = self._stretches(bag, stream)
            record = replace(bag_record(bag), position=self._source.record.position, images=stream.seen)
        if record.lost is not None and self._source.record.lost is not None:  # opened the second time without a reason
            record = replace(record, lost=replace(record.lost, note=self._source.record.lost.note))
        drives = tuple(
            self._drive(number, stretch, stream.frame_id, writers) for number, stretch in enumerate(stretches)
        )
        shutil.rmtree(self._folder / SPILL, ignore_errors=True)
        return Part(record if drives else replace(record, dropped=tuple(dropped)), drives)

    def _stretches(self, bag: BagReader, stream: FrameStream) -> tuple[list[Stretch], list[DroppedFrame]]:
        """Frames in a row, and what is dropped where there are none."""
        selector = Selector(self._config, [camera for camera, _ in self._cameras], stream.track)
        with Journal(self._folder) as journal:
            writer = PictureWriter(self._config, self._cameras, self._folder / PICTURES, journal)
            with closing(writer.write_all(stream.read(bag), selector)) as outcomes:
                found, first = self._collect(outcomes)
        least = 2 * self._config.context + 1 if self._config.select == "motion" else 1
        return long_enough(found, first, least)

    def _collect(self, outcomes: Iterable[Outcome]) -> tuple[list[Stretch], list[DroppedFrame]]:
        found: list[Stretch] = []
        first: list[DroppedFrame] = []
        for done, outcome in enumerate(outcomes, 1):
            decision, frame = outcome.decision, outcome.frame
            if decision.category:
                into = found[-1].dropped if found else first
                into.append(_dropped(outcome, decision.reason, decision.category))
            else:
                if decision.begins or not found:
                    found.append(Stretch(decision.begins, frame.camera))
                found[-1].kept.append(outcome)
            self._progress(done)
        return found, first

    def _drive(self, number: int, stretch: Stretch, frame_id: str, writers: list[SideWriter]) -> DriveRecord:
        """Put the pictures of a stretch in place and write what lies beside them."""
        folder = Path(DRIVES) / f"{number:04d}"
        data = self._folder / folder / layout.LEFT / "data"
        data.mkdir(parents=True)
        frames = []
        for index, outcome in enumerate(stretch.kept):
            name = layout.frame_name(index, Path(outcome.name).suffix)
            _link(self._folder / PICTURES / outcome.name, data / name)
            numbers = _measures(outcome.decision.measures)
            frames.append(KeptFrame(index, outcome.frame.number, outcome.frame.stamp_ns, outcome.sha256, **numbers))
        stamps = [frame.stamp_ns for frame in frames]
        # pykitti takes the times of all sensors from oxts.
        for sensor in (layout.LEFT, "oxts"):
            write_timestamps(self._folder / folder / sensor / "timestamps.txt", stamps)
        camera, rectifier = self._cameras[stretch.camera]
        side = finish_side_writers(writers, self._folder / folder, frames, rectifier.stored_camera(frame_id))
        return DriveRecord(
            folder.as_posix(),
            self._source.record.name,
            self._source.image_topic,
            self._source.camera_info_topic,
            _camera_record(camera, rectifier, frame_id),
            tuple(frames),
            tuple(sorted(stretch.dropped, key=lambda frame: frame.source)),
            self._source.record.position,
            stretch.begins,
            self._source.odometry_topic,
            json.loads(json.dumps(side)),  # lists, not tuples: what reading it back would give
        )


def long_enough(
    found: list[Stretch], first: list[DroppedFrame], least: int
) -> tuple[list[Stretch], list[DroppedFrame]]:
    """Stretches of at least `least` frames; every dropped frame goes with the stretch before it, or with the first.

    Returns:
        The stretches, and the dropped frames where there is no stretch.
    """
    good: list[Stretch] = []
    before = list(first)
    for stretch in found:
        if len(stretch.kept) >= least:
            stretch.dropped, before = before + stretch.dropped, []
            good.append(stretch)
            continue
        reason = f"only {len(stretch.kept)} of {least} frames in a row, which training needs"
        into = good[-1].dropped if good else before
        into += [_dropped(outcome, reason, "short") for outcome in stretch.kept]
        into += stretch.dropped
    return good, sorted(before, key=lambda frame: frame.source)


def _dropped(outcome: Outcome, reason: str, category: str) -> DroppedFrame:
    frame = outcome.frame
    return DroppedFrame(frame.number, frame.stamp_ns, reason, category, **_measures(outcome.decision.measures))


def _measures(measures: Measures) -> dict[str, float | None]:
    return {name: value for name, value in vars(measures).items() if name != "flow"}


def _camera_record(camera: CameraCalibration, rectifier: Rectifier, frame_id: str) -> CameraRecord:
    K: tuple[Any, ...] = tuple(float(value) for value in rectifier.K.ravel())
    rectified = not rectifier.is_identity
    source = (camera.model, camera.intrinsics, camera.distortion)
    return CameraRecord(frame_id, rectifier.width, rectifier.height, K, rectified, *source)


def _link(source: Path, target: Path) -> None:
    """Give a picture its place; the first name stays where the file system can do that, to go on from if killed."""
    try:
        os.link(source, target)
    except OSError:
        os.replace(source, target)
