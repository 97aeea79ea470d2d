# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Zip archives as monodepth2 and HR-Depth are published: a folder's files, perhaps within a folder.

Only the files that are known by name are unpacked, under those names: none in an archive leads anywhere else.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from zipfile import ZipFile, ZipInfo

from depth_node.errors import CheckpointError, first_line

NEEDED = ("encoder.pth", "depth.pth")
FILES = (*NEEDED, "pose_encoder.pth", "pose.pth")
MAX_UNPACKED_BYTES = 2**30
"""The largest, monodepth2 with ResNet-50 and its pose network, has 0.4 GB."""


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A folder with the official files of an archive, gone when the block ends.

    Raises:
        CheckpointError: it is damaged, has none of the files or those of several networks, or is too large. Errors of
            the block that name the folder name the archive instead.
    """
    try:
        with TemporaryDirectory(prefix="depth_node-") as name:
            try:
                _unpack(path, Path(name))
                yield Path(name)
            except CheckpointError as error:
                raise CheckpointError(str(error).replace(name, str(path))) from error
    except OSError as error:
        raise CheckpointError(f"cannot unpack {path}: {error.strerror or error}") from error


def _unpack(path: Path, folder: Path) -> None:
    try:
        with ZipFile(path) as archive:
            chosen = _chosen(archive.infolist(), path)
            size = sum(info.file_size for info in chosen.values())
            if size > MAX_UNPACKED_BYTES:
                raise CheckpointError(f"{path} is refused: it would unpack to {size} bytes")
            for name, info in chosen.items():
                # Reading stops at the size in the archive's list, so that the sum above holds.
                with archive.open(info) as packed, (folder / name).open("wb") as file:
                    shutil.copyfileobj(packed, file)
    except (CheckpointError, OSError):
        raise
    except Exception as error:  # whatever a crafted archive makes zipfile raise, the answer is one line
        what = "no zip archive, or one that was cut off" if not zipfile.is_zipfile(path) else "damaged"
        raise CheckpointError(f"{path} is {what}, get it again ({first_line(error)})") from error


def _chosen(entries: list[ZipInfo], path: Path) -> dict[str, ZipInfo]:
    """The files of the one network in an archive, by name."""
    folders: dict[PurePosixPath, dict[str, ZipInfo]] = {}
    for entry in entries:
        place = PurePosixPath(entry.filename)
        if place.name in FILES and "__MACOSX" not in place.parts:
            folders.setdefault(place.parent, {})[place.name] = entry
    whole = [files for files in folders.values() if all(name in files for name in NEEDED)]
    if len(whole) != 1:
        found = "several networks" if whole else "no encoder.pth with a depth.pth beside it"
        raise CheckpointError(f"{path} holds {found}: unpack it and name the folder that holds both")
    return whole[0]
