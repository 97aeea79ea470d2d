# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where everything lies in a KITTI raw folder; the only place that knows its paths.

`<root>/<date>/calib_*.txt` holds the calibration of a day, `<root>/<date>/<date>_drive_<NNNN>_sync/` one drive with
a folder per sensor and files numbered from `0000000000`. `image_02` is the left colour camera.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.errors import SequenceError
from depth_node.kitti.calibration import KittiCalibration, read_calibration
from depth_node.kitti.timestamps import format_timestamp, read_timestamps

LEFT, RIGHT = "image_02", "image_03"
SIDES = {"l": LEFT, "r": RIGHT, "2": LEFT, "3": RIGHT}
IMAGE_SUFFIXES = (".png", ".jpg")
CALIBRATION_FILES = ("calib_cam_to_cam.txt", "calib_velo_to_cam.txt", "calib_imu_to_velo.txt")
MANIFEST = "manifest.json"
TRAIN_SPLIT, VAL_SPLIT = Path("splits/train_files.txt"), Path("splits/val_files.txt")


def date_name(stamp_ns: int) -> str:
    """The folder of a day, `YYYY_MM_DD` in UTC."""
    return format_timestamp(stamp_ns)[:10].replace("-", "_")


def drive_folder(date: str, number: int) -> Path:
    """A drive relative to the root: `2011_09_26/2011_09_26_drive_0095_sync`."""
    return Path(date) / f"{date}_drive_{number:04d}_sync"


def frame_name(index: int, suffix: str) -> str:
    """The name of one frame's file in any sensor's data folder; `suffix` includes the dot."""
    return f"{index:010d}{suffix}"


@dataclass(frozen=True)
class FrameReference:
    """One line of a split file: drive folder relative to the root, frame index, side (l or r)."""

    folder: str
    index: int
    side: str = "l"

    def __str__(self) -> str:
        """The line as monodepth2 writes it."""
        return f"{self.folder} {self.index} {self.side}"


PICTURE_LINE = re.compile(r"\s*/?(\S+)/image_0([23])/data/(\d+)\.(?:png|jpe?g)(?:\s|$)")
"""The drive, camera and number of a picture at the front of a line."""


def read_split(path: Path) -> list[FrameReference]:
    """Read a split file: monodepth2's `folder index side` (a missing side is left), or lines that begin with a picture.

    The latter are those of BTS and packnet-sfm: a picture of KITTI raw, perhaps with its depth picture and focal
    length behind it, which are not needed.

    Raises:
        SequenceError: the file cannot be read, is empty or has a line of another form.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SequenceError(f"cannot read split file {path}: {getattr(error, 'strerror', None) or error}") from None
    references = [_parse_line(line, path, number) for number, line in enumerate(lines, 1) if line.strip()]
    if not references:
        raise SequenceError(f"split file {path} lists no frames: record a longer drive or choose another split")
    return references


def _parse_line(line: str, path: Path, number: int) -> FrameReference:
    if picture := PICTURE_LINE.match(line):
        folder, side, index = picture.groups()
        return FrameReference(folder, int(index), "l" if side == "2" else "r")
    match = re.fullmatch(r"\s*(\S.*?)\s+(\d+)(?:\s+([lr23]))?\s*", line)
    if not match:
        raise SequenceError(f"{path}:{number}: expected 'folder index side' (side l or r), found '{line.strip()}'")
    folder, index, side = match.groups()
    return FrameReference(folder, int(index), side or "l")


def write_split(path: Path, references: Iterable[FrameReference]) -> None:
    """Write a split file, one frame a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{reference}\n" for reference in references), encoding="utf-8")


@dataclass(frozen=True)
class KittiSequence:
    """One camera of one drive. Paths are computed, files are read on demand.

    Attributes:
        folder: the drive's folder, `.../<date>/<date>_drive_<NNNN>_sync`.
        camera: `image_02` (left) or `image_03` (right).
    """

    folder: Path
    camera: str = LEFT

    @cached_property
    def image_paths(self) -> dict[int, Path]:
        """Frame index to picture (PNG or JPEG), in order; raises SequenceError when there are none."""
        data = self.folder / self.camera / "data"
        pictures = [path for path in data.glob("*") if path.suffix in IMAGE_SUFFIXES and path.stem.isdecimal()]
        suffixes = {path.suffix for path in pictures}
        if len(suffixes) != 1:
            found = "no .png or .jpg pictures" if not suffixes else "both .png and .jpg pictures"
            raise SequenceError(f"{data} holds {found}: a sequence needs one kind, named 0000000000.png and so on")
        return {int(path.stem): path for path in sorted(pictures)}

    @cached_property
    def frames(self) -> tuple[int, ...]:
        """Indices of all frames that have a picture, ascending."""
        return tuple(self.image_paths)

    def __len__(self) -> int:
        """The number of pictures."""
        return len(self.frames)

    def image_path(self, index: int) -> Path:
        """The picture of a frame; raises SequenceError when there is none."""
        try:
            return self.image_paths[index]
        except KeyError:
            raise SequenceError(f"{self.folder} has no frame {index} in {self.camera}") from None

    def image(self, index: int) -> NDArray[np.uint8]:
        """Read the picture of a frame: (H, W, 3) uint8 RGB. Raises SequenceError."""
        return read_image(self.image_path(index))

    def calibrated_image(self, index: int) -> NDArray[np.uint8]:
        """Read the picture that the calibration is of: (H, W, 3) uint8 RGB; raises SequenceError for another size."""
        image, size = self.image(index), (self.calibration.width, self.calibration.height)
        if image.shape[1::-1] != size:
            raise SequenceError(
                f"{self.image_path(index)} is {image.shape[1]}x{image.shape[0]}, its calibration is for "
                f"{size[0]}x{size[1]}: copy the picture again, or correct {self.day / CALIBRATION_FILES[0]}"
            )
        return image

    @property
    def location(self) -> Path:
        """The drive's folder, absolute: '.' has neither a name nor a parent."""
        return Path(os.path.abspath(self.folder))

    @property
    def day(self) -> Path:
        """The folder of the drive's date, where its calibration lies."""
        return self.location.parent

    @cached_property
    def calibration(self) -> KittiCalibration:
        """The calibration of this camera on that day; raises SequenceError."""
        return read_calibration(self.day / CALIBRATION_FILES[0], int(self.camera[-2:]))

    @property
    def K(self) -> NDArray[np.float64]:  # noqa: N802 (the field's name)
        """(3, 3) intrinsics of the pictures, pixels."""
        return self.calibration.K

    @cached_property
    def stamps_ns(self) -> tuple[int, ...]:
        """Time of each frame, ns since 1970 UTC; raises SequenceError."""
        return read_timestamps(self.folder / self.camera / "timestamps.txt")

    def depth_path(self, index: int, kind: str = "groundtruth") -> Path:
        """16-bit depth PNG of a frame; `kind` is groundtruth or velodyne."""
        return self.folder / "proj_depth" / kind / self.camera / frame_name(index, ".png")

    def label_path(self, index: int) -> Path:
        """Semantic label PNG of a frame, Cityscapes train ids."""
        return self.folder / "semantic" / self.camera / frame_name(index, ".png")

    def velodyne_path(self, index: int) -> Path:
        """Lidar scan of a frame."""
        return self.folder / "velodyne_points" / "data" / frame_name(index, ".bin")

    def oxts_path(self, index: int) -> Path:
        """Motion and position (30 numbers) of a frame."""
        return self.folder / "oxts" / "data" / frame_name(index, ".txt")


def sequence_of(root: Path, reference: FrameReference) -> KittiSequence:
    """The sequence that a split line refers to."""
    return KittiSequence(root / reference.folder, SIDES[reference.side])


def read_image(path: Path, oriented: bool = False) -> NDArray[np.uint8]:
    """Read a picture.

    Args:
        path: the file.
        oriented: turn it as its EXIF data say. Calibration is for the pixels as they are stored.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        SequenceError: it cannot be read or decoded.
    """
    flags = cv2.IMREAD_COLOR if oriented else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise SequenceError(f"cannot read picture {path}: {error.strerror}") from None
    image = cv2.imdecode(data, flags) if data.size else None
    if image is None:
        raise SequenceError(f"{path} is no readable picture: delete it or copy it again")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
