"""The manifest of a recording: what went in, what came out of it, and why frames are missing."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from depth_node.errors import SequenceError

VERSION = 1


@dataclass(frozen=True)
class BagFile:
    """One file of a bag: name and size in bytes."""

    name: str
    bytes: int


@dataclass(frozen=True)
class BagRecord:
    """A bag that was read, without its place on the disk: name, files, messages in all, first and last time."""

    name: str
    files: tuple[BagFile, ...]
    messages: int
    start_ns: int
    end_ns: int


@dataclass(frozen=True)
class KeptFrame:
    """A frame in the sequence.

    Attributes:
        index: its number in the drive.
        source: its number on the bag's image topic, from 0.
        stamp_ns: its time, ns since 1970 UTC.
        sha256: of its picture file.
    """

    index: int
    source: int
    stamp_ns: int
    sha256: str


@dataclass(frozen=True)
class DroppedFrame:
    """A frame of the bag that is not in the sequence, and why."""

    source: int
    stamp_ns: int
    reason: str


@dataclass(frozen=True)
class CameraRecord:
    """The camera of a drive.

    Attributes:
        frame_id: its optical frame.
        width: pixels.
        height: pixels.
        intrinsics: 9 numbers of K row by row, pixels of the stored pictures.
        rectified: whether the recorder took out lens distortion.
        source_model: distortion model in the bag.
        source_intrinsics: K in the bag.
        source_distortion: D in the bag, empty where all are zero.
    """

    frame_id: str
    width: int
    height: int
    intrinsics: tuple[float, ...]
    rectified: bool
    source_model: str
    source_intrinsics: tuple[float, ...]
    source_distortion: tuple[float, ...]


@dataclass(frozen=True)
class DriveRecord:
    """One drive folder and where its frames come from."""

    folder: str
    bag: str
    image_topic: str
    camera_info_topic: str
    camera: CameraRecord
    frames: tuple[KeptFrame, ...]
    dropped: tuple[DroppedFrame, ...]


@dataclass(frozen=True)
class Manifest:
    """A whole recording. Equal bags and settings give an equal manifest, whatever the number of workers.

    Attributes:
        version: of this format.
        package_version: of the recorder.
        settings: those that change the result.
        bags: in the order given.
        drives: one per bag, in the same order.
        train: lines in the training split.
        val: lines in the validation split.
    """

    version: int
    package_version: str
    settings: dict[str, Any]
    bags: tuple[BagRecord, ...]
    drives: tuple[DriveRecord, ...]
    train: int
    val: int

    def to_json(self) -> str:
        """The text of `manifest.json`."""
        return json.dumps(dataclasses.asdict(self), indent=1) + "\n"

    def same_input(self, settings: dict[str, Any], bags: tuple[BagRecord, ...]) -> bool:
        """Whether recording these bags with these settings would give this recording again."""
        return self.version == VERSION and self.settings == settings and self.bags == bags


def read_manifest(path: Path) -> Manifest:
    """Read `manifest.json`; raises SequenceError when it is missing, damaged or of another format."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(
            content["version"],
            content["package_version"],
            content["settings"],
            tuple(_bag(bag) for bag in content["bags"]),
            tuple(_drive(drive) for drive in content["drives"]),
            content["train"],
            content["val"],
        )
    except OSError as error:
        raise SequenceError(f"cannot read manifest {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SequenceError(f"{path} is no manifest of a recording ({type(error).__name__}: {error})") from None


def _bag(content: dict[str, Any]) -> BagRecord:
    return BagRecord(**{**content, "files": tuple(BagFile(**file) for file in content["files"])})


def _drive(content: dict[str, Any]) -> DriveRecord:
    camera: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in content["camera"].items()
    }
    parts = {
        "camera": CameraRecord(**camera),
        "frames": tuple(KeptFrame(**frame) for frame in content["frames"]),
        "dropped": tuple(DroppedFrame(**frame) for frame in content["dropped"]),
    }
    return DriveRecord(**{**content, **parts})
