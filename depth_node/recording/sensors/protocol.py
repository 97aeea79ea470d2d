# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the recorder asks of everything that writes side data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from depth_node.camera.rectification import StoredCamera


class RecordedFrame(Protocol):
    """A frame of a drive, as side data sees it."""

    @property
    def index(self) -> int:
        """Its number in the drive."""

    @property
    def stamp_ns(self) -> int:
        """Its time, ns."""


class SideWriter(Protocol):
    """Writes one kind of side data of a bag, drive by drive.

    Attributes:
        name: its key in the manifest.
        topics: the topics it wants to be fed with.
    """

    name: str
    topics: frozenset[str]

    def add(self, topic: str, message: Any, stamp_ns: int) -> None:
        """Take a message of one of its topics; memory stays bounded, larger data is spilled to disk."""

    def finish(self, folder: Path, frames: Sequence[RecordedFrame], camera: StoredCamera) -> dict[str, Any]:
        """Write the files of a drive; a bag may fall into several.

        Args:
            folder: the drive's folder, which holds `image_02` already.
            frames: its frames in order of time; their pictures lie in `folder`.
            camera: of the stored pictures.

        Returns:
            What was written and how, for the manifest.

        Raises:
            DepthNodeError: the data is there but cannot be used; the line says what to do.
            OSError: a file cannot be written.
        """
