"""Pictures of a bag to picture files, decoded, rectified and encoded by several threads (OpenCV frees the GIL)."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.config.record import RecordConfig
from depth_node.data.bag import BagImage
from depth_node.data.encodings import is_jpeg
from depth_node.data.rectification import Rectifier
from depth_node.errors import EncodingError

QUEUE_PER_WORKER = 3
"""Pictures under way per thread: enough to keep all busy, few enough to keep memory flat."""


@dataclass(frozen=True)
class PictureJob:
    """A picture and the file it goes to."""

    source: int
    stamp_ns: int
    image: BagImage
    path: Path


@dataclass(frozen=True)
class WrittenPicture:
    """What became of a job.

    Attributes:
        job: the job.
        kind: size and encoding, which must not change within a drive.
        width: pixels.
        height: pixels.
        sha256: of the file; empty when it could not be decoded.
        problem: why it could not be decoded, or empty.
    """

    job: PictureJob
    kind: str = ""
    width: int = 0
    height: int = 0
    sha256: str = ""
    problem: str = ""


class PictureWriter:
    """Writes pictures of one camera to files."""

    def __init__(self, config: RecordConfig, rectifier: Rectifier) -> None:
        """Keep settings and maps."""
        self.suffix = f".{config.format}"
        self._rectifier = rectifier
        self._workers = config.workers or os.cpu_count() or 1
        if config.format == "jpg":
            self._flags = [cv2.IMWRITE_JPEG_QUALITY, config.jpeg_quality]
        else:
            self._flags = [cv2.IMWRITE_PNG_COMPRESSION, config.png_compression]

    def write_all(self, jobs: Iterable[PictureJob]) -> Generator[WrittenPicture, None, None]:
        """Write pictures by several threads; results come in the order of the jobs.

        Close the iterator when leaving it early: no thread writes after that.

        Raises:
            EncodingError: a raw image has an unknown encoding or does not fit its header.
            OSError: a file cannot be written.
        """
        pending: deque[Future[WrittenPicture]] = deque()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="pictures")
        try:
            for job in jobs:
                pending.append(pool.submit(self.write, job))
                if len(pending) >= self._workers * QUEUE_PER_WORKER:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def write(self, job: PictureJob) -> WrittenPicture:
        """Write one picture; a damaged compressed one is reported, not raised."""
        image = job.image
        try:
            rgb = image.rgb
        except EncodingError as error:
            if image.is_compressed:  # one broken JPEG in an hour of driving is normal
                return WrittenPicture(job, problem=str(error))
            raise
        height, width = rgb.shape[:2]
        encoding = "compressed" if image.is_compressed else image.message.encoding
        data = image.message.data.tobytes() if self._can_copy(image) else self._encode(self._rectifier(rgb))
        job.path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        return WrittenPicture(job, f"{width}x{height} {encoding}", width, height, digest)

    def _can_copy(self, image: BagImage) -> bool:
        if not (image.is_compressed and self.suffix == ".jpg" and self._rectifier.is_identity):
            return False
        return is_jpeg(image.message.data) and not image.message.format.startswith("bayer")

    def _encode(self, rgb: NDArray[np.uint8]) -> bytes:
        return cv2.imencode(self.suffix, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), self._flags)[1].tobytes()
