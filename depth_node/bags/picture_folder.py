# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of pictures as a bag with one topic of compressed pictures, at an even rate in the order of their names."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from types import SimpleNamespace, TracebackType

import cv2
import numpy as np

from depth_node.bags.files import pictures_in
from depth_node.bags.message_types import COMPRESSED_IMAGE
from depth_node.bags.reader import BagMessage, BagReader, BagTopic
from depth_node.bags.video_file import header, raw_message
from depth_node.camera.encodings import UPRIGHT, orientation
from depth_node.config.video import SECOND, VideoConfig
from depth_node.errors import BagError

PICTURE_TOPIC = "pictures"
"""Name of the one topic of a folder of pictures."""


class PictureFolderReader(BagReader):
    """A folder of pictures; each is read when its turn comes, and decoded by whoever needs its pixels."""

    kind = "folder"

    def __init__(self, path: str | Path, config: VideoConfig | None = None) -> None:
        """Remember the folder and what it does not say of its pictures."""
        super().__init__(path)
        self._config = config or VideoConfig()
        # A calibration is for the pixels as they are stored; without one, pictures are turned as people see them.
        self._upright = not getattr(config, "calibration", "")
        self._files: list[Path] = []

    def __enter__(self) -> PictureFolderReader:
        """List the pictures."""
        self._files = pictures_in(self.path)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing stays open."""

    @property
    def topics(self) -> tuple[BagTopic, ...]:
        """The one topic."""
        return (BagTopic(PICTURE_TOPIC, COMPRESSED_IMAGE, len(self._files)),)

    @property
    def time_range_ns(self) -> tuple[int, int]:
        """Time of the first and the last picture, ns."""
        return self._stamp_ns(0), self._stamp_ns(len(self._files) - 1)

    def messages(self, topics: str | Collection[str]) -> Iterator[BagMessage]:
        """All pictures, one that cannot be read as an empty one; raises BagError where another topic is asked for."""
        for name in [topics] if isinstance(topics, str) else topics:
            self.topic(name)
        for number, file in enumerate(self._files):
            yield self._message(file, self._stamp_ns(number))

    def _message(self, file: Path, stamp_ns: int) -> BagMessage:
        try:
            data = np.fromfile(file, np.uint8)
        except OSError:
            data = np.zeros(0, np.uint8)
        if self._upright and orientation(data) != UPRIGHT:
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR)  # the only flags that turn it
            if picture is not None:
                return raw_message(PICTURE_TOPIC, stamp_ns, np.asarray(picture, np.uint8))
        kind = file.suffix.lower().lstrip(".").replace("jpg", "jpeg")
        message = SimpleNamespace(header=header(stamp_ns), format=kind, data=data)
        return BagMessage(PICTURE_TOPIC, COMPRESSED_IMAGE, stamp_ns, stamp_ns, message, b"")

    def _stamp_ns(self, number: int) -> int:
        return self._config.start_ns + round(number / self._config.picture_rate * SECOND)

    def _check_path(self) -> None:
        if not self.path.is_dir() or not pictures_in(self.path):
            raise BagError(f"{self.path} is no folder of pictures")
