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


def storage_files(path: Path) -> list[Path]:
    """The storage files of a bag in order of recording: of a folder those in it, of a file itself."""
    if path.is_file():
        return [path] if is_bag(path) else []
    if not path.is_dir():
        return []
    return sorted((file for file in path.iterdir() if file.is_file() and _is_storage(file)), key=natural)


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
    """Bags that a user named, one by one or by a folder that holds them, each once, in the order given.

    Bags inside a folder come in order of their names, numbers counted as numbers.

    Raises:
        BagError: there is no bag at a path.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        bags = _bags_below(path) if path.is_dir() else [path]
        if not bags:
            raise BagError(f"{path} holds no bag: give bag folders, .mcap, .db3 or .bag files, or a folder of those")
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
