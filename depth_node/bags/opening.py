# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Opening any bag: as usual where it is whole, message by message where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from depth_node.bags.files import METADATA, is_picture_folder, is_ros1, is_video, storage_files
from depth_node.bags.picture_folder import PictureFolderReader
from depth_node.bags.reader import BagReader, DamagedBagError
from depth_node.bags.salvage.reader import SalvageReader
from depth_node.bags.video_file import VideoReader
from depth_node.config.video import VideoConfig

UNCLOSED = "the recording was not closed"


@contextmanager
def open_bag(path: Path, salvage: bool = False, config: VideoConfig | None = None) -> Iterator[BagReader]:
    """An open bag; `loss` of the reader says what of it cannot be read, None where all can.

    Damage in the middle shows while reading, as a DamagedBagError: open the bag again with `salvage` then. Videos and
    folders of pictures look like bags with one camera; how far a damaged video goes shows at its end, without an error.

    Args:
        path: a bag folder, with or without metadata.yaml, a storage file, a video, or a folder of pictures.
        salvage: do not try the usual way first.
        config: what videos and pictures do not say of themselves.

    Raises:
        BagError: there is no bag, or nothing of it is readable.
    """
    if is_video(path) or is_picture_folder(path):
        with VideoReader(path, config) if is_video(path) else PictureFolderReader(path, config) as camera:
            yield camera
        return
    reader, reason = None, ""
    try:
        if _needs_salvage(path):
            reason = UNCLOSED
        elif not salvage:
            reader = BagReader(path).__enter__()
    except DamagedBagError as error:
        reason = str(error)
        if not storage_files(path) or is_ros1(path):
            raise
    if reader is None:
        inner = reason.partition("(")[2].rpartition(")")[0]
        reader = SalvageReader(path, inner or reason).__enter__()
    with reader_closing(reader):
        yield reader


@contextmanager
def reader_closing(reader: BagReader) -> Iterator[None]:
    """Close an open reader at the end of the block."""
    try:
        yield
    finally:
        reader.__exit__(None, None, None)


def _needs_salvage(path: Path) -> bool:
    """Whether a recording was never closed, or is one compressed file, which only salvage reads."""
    files = storage_files(path)
    return (path.is_dir() and bool(files) and not (path / METADATA).exists()) or path.suffix == ".zstd"
