# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Video files: their frames in order, and the same as the messages of a bag that holds one camera."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from pathlib import Path
from types import SimpleNamespace, TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.bags.files import is_video
from depth_node.bags.message_types import IMAGE
from depth_node.bags.reader import BagMessage, BagReader, BagTopic, DamagedBagError, Loss
from depth_node.config.video import SECOND, VideoConfig
from depth_node.errors import BagError

VIDEO_TOPIC = "video"
"""Name of the one topic of a video."""
FRAME_ID = "camera"
LOST_FEW = 0.01
"""Share of frames by which a video may be shorter than it says: of edits, or where the container tells only seconds."""
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what is damaged is said once, by us


class VideoFile:
    """An open video. Frames of phones come upright, as the container says. Use it with `with`.

    Attributes:
        path: of the file.
        fps: usual frames per second.
        frames: how many the container promises; 0 where it does not say.
        width: of its frames as they are read, pixels.
        height: of its frames as they are read, pixels.
    """

    def __init__(self, path: Path) -> None:
        """Open it; raises DamagedBagError where it holds no frame that can be read."""
        self.path = path
        if not path.is_file():
            raise BagError(f"video {path} does not exist")
        self._capture = self._open()
        self.fps, count = (self._capture.get(name) for name in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_COUNT))
        self.fps = self.fps if 0 < self.fps < 1e4 else 25.0  # a container that does not say
        self.frames = max(int(count), 0)
        whole, picture = self._capture.read()
        if not whole:
            self._capture.release()
            raise self._unreadable()
        self.height, self.width = picture.shape[:2]
        self._first: NDArray[np.uint8] | None = np.asarray(picture, np.uint8)

    def __enter__(self) -> VideoFile:
        """The video itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._capture.release()

    def read(self) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """All frames from the first one on, as far as they can be read.

        Yields:
            Seconds since the start of the video, always later than those before, and (H, W, 3) uint8 BGR.
        """
        if self._first is None:  # seeking is a matter of luck with many containers
            self._capture.release()
            self._capture = self._open()
        before = -1 / self.fps
        while True:
            whole, picture = self._capture.read() if self._first is None else (True, self._first)
            self._first = None
            if not whole:
                return
            seconds = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
            # Some containers tell no times, or the same twice.
            before = seconds if seconds > before else before + 1 / self.fps
            yield before, np.asarray(picture, np.uint8)

    def missing(self, count: int) -> int:
        """How many frames could not be read where `count` could; 0 where the difference is too small to say."""
        lost = self.frames - count
        return lost if lost > max(LOST_FEW * self.frames, 2) else 0

    def sampled(self, count: int) -> Iterator[NDArray[np.uint8]]:
        """About `count` frames from all over the video, (H, W, 3) uint8 BGR; the others are not made pictures of."""
        step = max(self.frames // count, 1)
        capture, number = self._open(), 0
        while capture.grab():
            if number % step == 0:
                whole, picture = capture.retrieve()
                if whole:
                    yield np.asarray(picture, np.uint8)
            number += 1
        capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(str(self.path))
        if not capture.isOpened():
            raise self._unreadable()
        return capture

    def _unreadable(self) -> DamagedBagError:
        return DamagedBagError(
            f"video {self.path} has no frame that can be read: it is empty, of an unknown codec, or was cut off before "
            "its index was written (an mp4's lies at its end)"
        )


class VideoReader(BagReader):
    """A video as a bag with one topic of raw pictures, whose stamps are the frames' times."""

    kind = "video"

    def __init__(self, path: str | Path, config: VideoConfig | None = None) -> None:
        """Remember the path and what the video does not say itself."""
        super().__init__(path)
        self._config = config or VideoConfig()
        self._video: VideoFile | None = None
        self._count = 0
        self._end_ns = 0
        self._loss: Loss | None = None

    def __enter__(self) -> VideoReader:
        """Open the video; raises DamagedBagError where nothing of it can be read."""
        self._video = video = VideoFile(self.path)
        # Until it has been read: what it promises.
        self._count = max(video.frames, 1)
        self._end_ns = self._config.start_ns + round((self._count - 1) / video.fps * SECOND)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the video."""
        if self._video is not None:
            self._video.__exit__()
            self._video = None

    @property
    def loss(self) -> Loss | None:
        """What of the video could not be read; known once all of it has been read."""
        return self._loss

    @property
    def topics(self) -> tuple[BagTopic, ...]:
        """The one topic."""
        return (BagTopic(VIDEO_TOPIC, IMAGE, self._count),)

    @property
    def time_range_ns(self) -> tuple[int, int]:
        """Time of the first and the last frame, ns."""
        return self._config.start_ns, self._end_ns

    def messages(self, topics: str | Collection[str]) -> Iterator[BagMessage]:
        """All frames that can be read, as Image messages; raises BagError where another topic is asked for."""
        for name in [topics] if isinstance(topics, str) else topics:
            self.topic(name)
        if self._video is None:
            raise BagError(f"video {self.path} is not open")
        count, stamp_ns = 0, self._config.start_ns
        for seconds, picture in self._video.read():
            count += 1
            stamp_ns = self._config.start_ns + round(seconds * SECOND)
            yield raw_message(VIDEO_TOPIC, stamp_ns, picture)
        self._finish(count, stamp_ns)

    def _finish(self, count: int, end_ns: int) -> None:
        """Take note of how much there really was."""
        if self._video and (lost := self._video.missing(count)):
            self._loss = Loss(lost, 0, f"cut off or damaged: {count} of {self._video.frames} frames can be read")
        self._count, self._end_ns = count, end_ns

    def _check_path(self) -> None:
        if not is_video(self.path):
            raise BagError(f"video {self.path} does not exist")


def raw_message(topic: str, stamp_ns: int, picture: NDArray[np.uint8]) -> BagMessage:
    """An Image message of (H, W, 3) uint8 BGR pixels."""
    height, width = picture.shape[:2]
    pixels = np.ascontiguousarray(picture).reshape(-1)
    message = SimpleNamespace(
        header=header(stamp_ns),
        height=height,
        width=width,
        encoding="bgr8",
        is_bigendian=0,
        step=3 * width,
        data=pixels,
    )
    return BagMessage(topic, IMAGE, stamp_ns, stamp_ns, message, b"")


def header(stamp_ns: int) -> SimpleNamespace:
    """A message's header in the camera's frame."""
    stamp = SimpleNamespace(sec=stamp_ns // SECOND, nanosec=stamp_ns % SECOND)
    return SimpleNamespace(stamp=stamp, frame_id=FRAME_ID)
