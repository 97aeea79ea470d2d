# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Parts put together: drives get their day and number, days their calibration, and all of it splits and a manifest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from depth_node import __version__
from depth_node.atomic_file import swapping
from depth_node.camera.calibration import Matrix, Row, is_same_view
from depth_node.config.record import RecordConfig
from depth_node.errors import CalibrationError
from depth_node.kitti import layout
from depth_node.kitti.calibration import write_calibration
from depth_node.kitti.split import split_drive
from depth_node.recording.bag_part import Part
from depth_node.recording.manifest import VERSION, CameraRecord, DriveRecord, Manifest
from depth_node.recording.sensors.writers import mounting_of

Place = Callable[[Path, Path], None]
"""Brings a drive's folder to its place; told from and to."""


@dataclass
class _Day:
    """A date folder: its camera, where the other sensors sit, the first stamp, and the next drive's number."""

    camera: tuple[Row, int, int]
    stamp_ns: int
    number: int
    mounting: dict[str, Matrix] = field(default_factory=dict)

    def fits(self, camera: tuple[Row, int, int], mounting: dict[str, Matrix]) -> bool:
        """Whether a drive can share the calibration files."""
        both = self.mounting.keys() & mounting.keys()
        same = all(np.allclose(self.mounting[name], mounting[name], atol=1e-9, equal_nan=True) for name in both)
        (row, *size), (other, *other_size) = self.camera, camera
        return size == other_size and is_same_view(row, other, *size) and same


class Assembler:
    """Gives drives their folders below a root; the same parts give the same folders, however often it is done."""

    def __init__(self, config: RecordConfig, root: Path, place: Place) -> None:
        """Start with no drive."""
        self._config, self._root, self._place = config, root, place
        self._days: dict[str, _Day] = {}

    def add(self, folder: Path, drive: DriveRecord) -> DriveRecord:
        """Bring a drive to its place below the root; raises CalibrationError and OSError."""
        mounting = mounting_of(drive.side)
        day = self._day(drive, mounting)
        self._days[day].mounting |= mounting
        number = self._days[day].number
        self._days[day].number += 1
        target = layout.drive_folder(day, number)
        if not (self._root / target).exists():  # else a process that was killed here has done it
            (self._root / day).mkdir(parents=True, exist_ok=True)
            self._place(folder / drive.folder, self._root / target)
        return replace(drive, folder=target.as_posix())

    def write_calibrations(self) -> None:
        """Write the calibration files of all days; raises OSError."""
        for name, day in self._days.items():
            row, width, height = day.camera
            K = np.array(row).reshape(3, 3)
            write_calibration(self._root / name, K, width, height, day.stamp_ns, **day.mounting)

    def _day(self, drive: DriveRecord, mounting: dict[str, Matrix]) -> str:
        date = layout.date_name(drive.frames[0].stamp_ns)
        camera = camera_key(drive.camera)
        for letter in range(1, 1000):
            name = date if letter == 1 else f"{date}_{letter}"
            day = self._days.setdefault(name, _Day(camera, drive.frames[0].stamp_ns, self._config.drive))
            if day.fits(camera, mounting):
                return name
            if self._config.on_change == "error":
                break
        raise other_calibration(drive.bag, date)


def camera_key(camera: CameraRecord) -> tuple[Row, int, int]:
    """What the drives of a day must have in common."""
    return camera.intrinsics, camera.width, camera.height


def other_calibration(bag: str, date: str) -> CalibrationError:
    """What to say when two bags of a day do not fit together."""
    return CalibrationError(
        f"bag {bag} has another calibration than the bags before it from the same day {date}, but KITTI keeps one per "
        f"day: --on_change split gives it a date folder of its own ({date}_2), or record it to another --output"
    )


def assemble(
    parts: Sequence[tuple[Path, Part]], root: Path, config: RecordConfig, settings: dict[str, Any], place: Place
) -> Manifest:
    """Bring all drives below a root, with calibration files and splits; the manifest is returned.

    Args:
        parts: their folders and records, in the order of the bags.
        root: the folder to fill.
        config: settings.
        settings: those that go into the manifest.
        place: how a drive's folder gets from its part to its place.

    Raises:
        CalibrationError: drives of one day have different calibrations.
        OSError: something cannot be written.
    """
    assembler = Assembler(config, root, place)
    drives = tuple(assembler.add(folder, drive) for folder, part in parts for drive in part.drives)
    assembler.write_calibrations()
    train, val = _write_splits(root, drives, config)
    bags = tuple(part.bag for _, part in parts)
    return Manifest(VERSION, __version__, settings, bags, drives, train, val, config.shard)


def write_manifest(root: Path, manifest: Manifest) -> None:
    """Write `manifest.json` in one go; raises OSError."""
    with swapping(root / layout.MANIFEST) as temporary:
        temporary.write_text(manifest.to_json(), encoding="utf-8")


def _write_splits(root: Path, drives: Sequence[DriveRecord], config: RecordConfig) -> tuple[int, int]:
    train: list[layout.FrameReference] = []
    val: list[layout.FrameReference] = []
    for drive in drives:
        # Drawn for each drive from what it holds, not from its place in a list: shards split as the whole does.
        key = (config.seed, drive.frames[0].stamp_ns)
        for_train, for_val = split_drive(len(drive.frames), config.val_fraction, config.context, key)
        train += [layout.FrameReference(drive.folder, index) for index in for_train]
        val += [layout.FrameReference(drive.folder, index) for index in for_val]
    layout.write_split(root / layout.TRAIN_SPLIT, train)
    layout.write_split(root / layout.VAL_SPLIT, val)
    return len(train), len(val)
