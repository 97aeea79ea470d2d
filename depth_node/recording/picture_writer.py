# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a bag to picture files: looked at, selected, rectified and encoded by several threads.

OpenCV frees the interpreter, so threads use all cores. The thread that reads the bag also decides, in the bag's order,
so that the result does not depend on the number of workers. An uninteresting picture is never encoded.
"""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.bags.reader import BagImage
from depth_node.camera.calibration import CameraCalibration
from depth_node.camera.encodings import SUPPORTED, UPRIGHT, is_jpeg, orientation
from depth_node.camera.rectification import Rectifier
from depth_node.config.record import RecordConfig
from depth_node.errors import BagError, EncodingError
from depth_node.kitti.timestamps import format_timestamp
from depth_node.recording.frame_selection import Decision, Measures, Selector
from depth_node.recording.image_motion import Gray, shrink
from depth_node.recording.journal import Journal
from depth_node.recording.picture_quality import PictureQuality, measure_quality
from depth_node.recording.timeline import TimedImage

QUEUE_PER_WORKER = 3
"""Pictures under way per thread and stage: enough to keep all busy, few enough to keep memory flat."""


@dataclass(frozen=True)
class Look:
    """A decoded picture and what was seen at first sight.

    Attributes:
        bgr: (H, W, 3) uint8; None when it could not be decoded.
        small: shrunk and grey.
        quality: sharpness and exposure.
        kind: size and encoding, which must not change within a drive.
        problem: why it could not be decoded, or empty.
    """

    bgr: NDArray[np.uint8] | None = None
    small: Gray | None = None
    quality: PictureQuality | None = None
    kind: str = ""
    problem: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a picture: its decision, and where it was kept its file's name and hash."""

    frame: TimedImage
    decision: Decision
    name: str = ""
    sha256: str = ""


class PictureWriter:
    """Writes pictures of one bag to files."""

    def __init__(
        self,
        config: RecordConfig,
        cameras: Sequence[tuple[CameraCalibration, Rectifier]],
        folder: Path,
        journal: Journal,
    ) -> None:
        """Keep settings and maps; files go to `folder`, named by the picture's number in the bag."""
        self._config, self._cameras, self._folder, self._journal = config, cameras, folder, journal
        self._suffix = f".{config.format}"
        self._workers = config.workers or os.cpu_count() or 1
        self._kind = ""
        if config.format == "jpg":
            self._flags = [cv2.IMWRITE_JPEG_QUALITY, config.jpeg_quality]
        else:
            self._flags = [cv2.IMWRITE_PNG_COMPRESSION, config.png_compression]

    def write_all(self, frames: Iterable[TimedImage], selector: Selector) -> Generator[Outcome, None, None]:
        """Write the pictures that the selector keeps; outcomes come in order of time.

        Close the iterator when leaving it early: no thread writes after that.

        Raises:
            BagError: size or encoding changes.
            CalibrationError: a picture does not have the size that was calibrated.
            EncodingError: a raw image has an unknown encoding.
            OSError: a file cannot be written.
        """
        looks: deque[tuple[TimedImage, Future[Look] | None]] = deque()
        writes: deque[Outcome | Future[Outcome]] = deque()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="pictures")
        room = self._workers * QUEUE_PER_WORKER
        try:
            for frame in frames:
                looks.append((frame, None if frame.dropped else pool.submit(self._look, frame.image)))
                if len(looks) >= room:
                    writes.append(self._decide(*looks.popleft(), selector, pool))
                if len(writes) >= room:
                    yield _result(writes.popleft())
            while looks:
                writes.append(self._decide(*looks.popleft(), selector, pool))
            while writes:
                yield _result(writes.popleft())
        finally:
            pool.shutdown(cancel_futures=True)

    def _decide(
        self, frame: TimedImage, future: Future[Look] | None, selector: Selector, pool: ThreadPoolExecutor
    ) -> Outcome | Future[Outcome]:
        if future is None:
            return Outcome(frame, Decision(Measures(), frame.category, frame.dropped))
        look = future.result()
        if look.bgr is None or look.small is None or look.quality is None:
            return Outcome(frame.without_pixels(), Decision(Measures(), "damaged", look.problem))
        frame = self._check_kind(frame, look)
        decision = selector.decide(frame, look.small, look.quality)
        if decision.category:
            return Outcome(frame.without_pixels(), decision)
        return pool.submit(self._write, frame, decision, look.bgr)

    def _check_kind(self, frame: TimedImage, look: Look) -> TimedImage:
        """The frame, as the start of a drive where it is of another kind; raises where that must not be."""
        before, self._kind = self._kind or look.kind, look.kind
        if look.kind != before:
            if self._config.on_change == "error":
                raise BagError(
                    f"images change from {before} to {look.kind} at {format_timestamp(frame.stamp_ns)}: "
                    "--on_change split starts a new drive there, or cut the bag (ros2 bag convert)"
                )
            frame = frame.starting(f"images change from {before} to {look.kind}")
        assert look.bgr is not None
        self._cameras[frame.camera][0].check_image(look.bgr.shape[1], look.bgr.shape[0])
        return frame

    def _look(self, image: BagImage) -> Look:
        """Decode a picture; a damaged one is reported, an encoding that nobody knows is raised."""
        try:
            bgr = image.bgr
        except EncodingError as error:
            encoding = "" if image.is_compressed else image.message.encoding
            if not encoding or encoding in SUPPORTED:  # one broken picture in an hour of driving is normal
                return Look(problem=str(error))
            raise
        kind = f"{bgr.shape[1]}x{bgr.shape[0]} {'compressed' if image.is_compressed else image.message.encoding}"
        return Look(bgr, shrink(bgr), measure_quality(bgr), kind)

    def _write(self, frame: TimedImage, decision: Decision, bgr: NDArray[np.uint8]) -> Outcome:
        name = f"{frame.number}{self._suffix}"
        path = self._folder / name
        digest = self._journal.done(frame.number, path)
        if not digest:
            rectifier, image = self._cameras[frame.camera][1], frame.image
            data = memoryview(image.message.data) if self._can_copy(image, rectifier) else self._encode(rectifier(bgr))
            digest = hashlib.sha256(data).hexdigest()
            _write_file(path, data)
            self._journal.add(frame.number, digest)
        return Outcome(frame.without_pixels(), decision, name, digest)

    def _can_copy(self, image: BagImage, rectifier: Rectifier) -> bool:
        if not (image.is_compressed and self._suffix == ".jpg" and rectifier.is_identity):
            return False
        data = image.message.data
        # Programs that read pictures turn them by such a tag, but calibration knows nothing of it.
        return is_jpeg(data) and not image.message.format.startswith("bayer") and orientation(data) == UPRIGHT

    def _encode(self, bgr: NDArray[np.uint8]) -> memoryview:
        return cv2.imencode(self._suffix, bgr, self._flags)[1].data


def _write_file(path: Path, data: memoryview) -> None:
    """As `Path.write_bytes`, with three calls of the system instead of seven: at every one threads wait for another."""
    data = data.cast("B")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    finally:
        os.close(descriptor)


def _result(outcome: Outcome | Future[Outcome]) -> Outcome:
    return outcome if isinstance(outcome, Outcome) else outcome.result()
