# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which files make a bag, and which bags lie in a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from depth_node.errors import BagError

STORAGE_SUFFIXES = (".mcap", ".db3")
METADATA = "metadata.yaml"
ROS1 = ".bag"
"""A ROS 1 bag is one such file."""
VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".mpg", ".mpeg", ".wmv", ".ts")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")


def storage_files(path: Path) -> list[Path]:
    """The storage files of a bag in order of recording: of a folder those in it, of a file itself."""
    if path.is_file():
        return [path] if is_bag(path) else []
    if not path.is_dir():
        return []
    return sorted((file for file in path.iterdir() if file.is_file() and _is_storage(file)), key=natural)


def input_files(path: Path) -> list[Path]:
    """The files of a bag, of a video, or of a folder of pictures."""
    return storage_files(path) or ([path] if is_video(path) else pictures_in(path))


def pictures_in(folder: Path) -> list[Path]:
    """The pictures that lie in a folder itself, numbers in their names counted as numbers; empty of anything else."""
    if not folder.is_dir():
        return []
    # A name that begins with a dot is no picture: other systems leave notes on files beside them under such names.
    files = (file for file in folder.iterdir() if file.suffix.lower() in PICTURE_SUFFIXES and file.name[0] != ".")
    return sorted((file for file in files if file.is_file()), key=natural)


def is_video(path: Path) -> bool:
    """Whether a path is a video, by its name."""
    return path.suffix.lower() in VIDEO_SUFFIXES and path.is_file()


def is_picture_folder(path: Path) -> bool:
    """Whether a path is a folder with pictures and without a bag."""
    return path.is_dir() and not is_bag(path) and bool(pictures_in(path))


def is_bag(path: Path) -> bool:
    """Whether a path is one bag: a storage file, or a folder with metadata or with the parts of one recording."""
    if path.is_file():
        return _is_storage(path) or is_ros1(path)
    if not path.is_dir():
        return False
    # A recording that crashed has no metadata yet; its parts are called NAME_0, NAME_1 and so on.
    names = {re.sub(r"_\d+$", "", file.name.split(".")[0]) for file in storage_files(path)}
    return (path / METADATA).exists() or len(names) == 1


def is_ros1(path: Path) -> bool:
    """Whether a file is a bag of ROS 1, by its name."""
    return path.suffix == ROS1


def find_bags(paths: Iterable[Path]) -> list[Path]:
    """Bags and videos that a user named, one by one or by a folder that holds them, each once, in the order given.

    Those inside a folder come in order of their names, numbers counted as numbers. A folder without any bag gives its
    videos, one without videos the folders of pictures in it.

    Raises:
        BagError: there is no bag at a path.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        bags = _found_below(path) if path.is_dir() else [path]
        if not bags:
            raise BagError(
                f"{path} holds no bag: give bag folders, .mcap, .db3 or .bag files, or a folder of those; "
                "videos and folders of pictures do, too"
            )
        for bag in bags:
            found.setdefault(bag.resolve(), bag)
    return list(found.values())


def _bags_below(folder: Path) -> list[Path]:
    """The folder itself where it is a bag, or the bags in it; a loose storage file hides no bag folder beside it."""
    inside = [path for path in sorted(folder.iterdir(), key=natural) if not path.name.startswith(".")]
    below = {path: _bags_below(path) for path in inside if path.is_dir() and not path.is_symlink()}
    below |= {path: [path] for path in inside if path.is_symlink() and path.is_dir() and is_bag(path)}
    if is_bag(folder) and ((folder / METADATA).exists() or not any(below.values())):
        return [folder, *(bag for bags in below.values() for bag in bags)]
    return [bag for path in inside for bag in below.get(path, [path] if is_bag(path) else [])]


def _found_below(folder: Path) -> list[Path]:
    """What to record of a folder; pictures and videos that lie beside bags tell of them and are no recordings."""
    if bags := _bags_below(folder):
        return bags
    folders = [folder, *_folders_below(folder)]
    videos = [path for each in folders for path in sorted(each.iterdir(), key=natural) if is_video(path)]
    return videos or [each for each in folders if pictures_in(each)]


def _folders_below(folder: Path) -> list[Path]:
    """All folders in a folder, each before those in it."""
    inside = sorted((path for path in folder.iterdir() if path.is_dir() and path.name[0] != "."), key=natural)
    return [found for path in inside for found in (path, *([] if path.is_symlink() else _folders_below(path)))]


def natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Sort key by name that puts part_2 before part_10."""
    parts = re.split(r"(\d+)", path.name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts], path.name


def _is_storage(path: Path) -> bool:
    suffixes = path.suffixes
    if suffixes and suffixes[-1] == ".zstd":
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in STORAGE_SUFFIXES


def write_ahead_log(file: Path) -> Path:
    """Where SQLite keeps the newest rows of a database until it is closed; normally there is none."""
    return file.with_name(f"{file.name}-wal")
