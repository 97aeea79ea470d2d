# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The manifest of a recording: what went in, what came out of it, and why frames are missing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from depth_node.errors import SequenceError

VERSION = 2
ATOMS = (str, int, float, bool, type(None))
"""What JSON takes as it is."""


@dataclass(frozen=True)
class BagFile:
    """One file of a bag: name and size in bytes."""

    name: str
    bytes: int


@dataclass(frozen=True)
class LossRecord:
    """What of a damaged bag could not be read: messages (None: nobody knows), bytes, and what is wrong with it."""

    messages: int | None
    bytes: int
    note: str


@dataclass(frozen=True)
class BagRecord:
    """A bag that was read, without its place on the disk.

    Attributes:
        name: of its folder or file.
        files: those it consists of.
        messages: readable ones on all topics.
        start_ns: time of recording of the first one.
        end_ns: time of recording of the last one.
        lost: what could not be read; None for a whole bag.
        position: in the list of all bags, shards counted together.
        images: pictures on the image topic.
        dropped: frames left out, where no drive came of the bag; else they are with the drives.
    """

    name: str
    files: tuple[BagFile, ...]
    messages: int
    start_ns: int
    end_ns: int
    lost: LossRecord | None = None
    position: int = 0
    images: int = 0
    dropped: tuple[DroppedFrame, ...] = ()

    @property
    def identity(self) -> tuple[str, tuple[BagFile, ...], int]:
        """What is known of the bag before it is read."""
        return self.name, self.files, self.position


@dataclass(frozen=True)
class KeptFrame:
    """A frame in the sequence.

    Attributes:
        index: its number in the drive.
        source: its number on the bag's image topic, from 0.
        stamp_ns: its time, ns since 1970 UTC.
        sha256: of its picture file.
        parallax: pixels of the raw picture that things moved since the frame before, the camera's rotation taken out;
            this and the following are None where they were not measured, as of three in four while moving fast.
        rotation: degrees since the frame before.
        distance: metres since then, by odometry.
        sharpness: relative to that of the pictures before; 1 is usual.
        brightness: mean, 0 to 255.
        clipped: share of pixels that are black or white.
    """

    index: int
    source: int
    stamp_ns: int
    sha256: str
    parallax: float | None = None
    rotation: float | None = None
    distance: float | None = None
    sharpness: float | None = None
    brightness: float | None = None
    clipped: float | None = None


@dataclass(frozen=True)
class DroppedFrame:
    """A frame of the bag that is not in the sequence, and why.

    Attributes:
        source: its number on the bag's image topic, from 0.
        stamp_ns: its time, ns since 1970 UTC.
        reason: for people.
        category: for statistics, one of `selection.REASONS`.
        parallax: since the last kept frame; this and the following as in `KeptFrame`.
    """

    source: int
    stamp_ns: int
    reason: str
    category: str = ""
    parallax: float | None = None
    rotation: float | None = None
    distance: float | None = None
    sharpness: float | None = None
    brightness: float | None = None
    clipped: float | None = None


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
    """One drive folder and where its frames come from.

    Attributes:
        folder: relative to the recording.
        bag: name of the bag.
        image_topic: of the bag.
        camera_info_topic: of the bag; empty where a file has the calibration.
        camera: of the stored pictures.
        frames: in order.
        dropped: frames left out before, in and after this drive, up to the next drive of the bag.
        position: of the bag, as in `BagRecord`.
        begins: why a new drive begins here: start of the bag, a gap, a change.
        odometry_topic: that motion was judged by; empty where pictures alone were.
        side: what was written beside the pictures, by kind.
    """

    folder: str
    bag: str
    image_topic: str
    camera_info_topic: str
    camera: CameraRecord
    frames: tuple[KeptFrame, ...]
    dropped: tuple[DroppedFrame, ...]
    position: int = 0
    begins: str = ""
    odometry_topic: str = ""
    side: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """A whole recording. Equal bags and settings give an equal manifest, whatever the number of workers.

    Attributes:
        version: of this format.
        package_version: of the recorder.
        settings: those that change the result.
        bags: in the order given.
        drives: in the order of their bags, several of a bag in order of time.
        train: lines in the training split.
        val: lines in the validation split.
        shard: 'I/N' of a share that is to be merged, or empty.
        total: number of bags in all shares together.
    """

    version: int
    package_version: str
    settings: dict[str, Any]
    bags: tuple[BagRecord, ...]
    drives: tuple[DriveRecord, ...]
    train: int
    val: int
    shard: str = ""
    total: int = 0

    def to_json(self) -> str:
        """The text of `manifest.json`."""
        return to_json(self)

    def same_input(self, settings: dict[str, Any], bags: tuple[BagRecord, ...]) -> bool:
        """Whether recording these bags with these settings would give this recording again."""
        same = [bag.identity for bag in self.bags] == [bag.identity for bag in bags]
        return self.version == VERSION and same and self.settings == json.loads(json.dumps(settings))


def to_json(content: Any) -> str:
    """JSON of dataclasses, dicts and lists, with one frame a line, whatever else takes a line per value."""
    return _lines(_plain(content), "") + "\n"


def _plain(content: Any) -> Any:
    """Dataclasses as dicts; `asdict` would copy every number of every frame."""
    if dataclasses.is_dataclass(content):
        content = vars(content)
    if isinstance(content, Mapping):
        return {key: value if isinstance(value, ATOMS) else _plain(value) for key, value in content.items()}
    return [_plain(value) for value in content] if isinstance(content, (list, tuple)) else content


def _lines(content: Any, indent: str) -> str:
    values = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    if not any(isinstance(value, (dict, list)) for value in values):
        return json.dumps(content)  # a whole frame or row at once, by the fast encoder
    inner = indent + " "
    if isinstance(content, dict):
        rows = [f"{inner}{json.dumps(key)}: {_lines(value, inner)}" for key, value in content.items()]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + _lines(value, inner) for value in content) + f"\n{indent}]"


def read_manifest(path: Path) -> Manifest:
    """Read `manifest.json`; raises SequenceError when it is missing, damaged or of another format."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Manifest(
            content["version"],
            content["package_version"],
            content["settings"],
            tuple(bag_of(bag) for bag in content["bags"]),
            tuple(drive_of(drive) for drive in content["drives"]),
            content["train"],
            content["val"],
            content.get("shard", ""),
            content.get("total", 0),
        )
    except OSError as error:
        raise SequenceError(f"cannot read manifest {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SequenceError(f"{path} is no manifest of a recording ({type(error).__name__}: {error})") from None


def bag_of(content: dict[str, Any]) -> BagRecord:
    """A bag from its JSON; raises KeyError or TypeError where it is none."""
    parts = {
        "files": tuple(BagFile(**file) for file in content["files"]),
        "lost": LossRecord(**content["lost"]) if content.get("lost") else None,
        "dropped": tuple(DroppedFrame(**frame) for frame in content.get("dropped", ())),
    }
    return BagRecord(**{**content, **parts})


def drive_of(content: dict[str, Any]) -> DriveRecord:
    """A drive from its JSON; raises KeyError or TypeError where it is none."""
    camera: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in content["camera"].items()
    }
    parts = {
        "camera": CameraRecord(**camera),
        "frames": tuple(KeptFrame(**frame) for frame in content["frames"]),
        "dropped": tuple(DroppedFrame(**frame) for frame in content["dropped"]),
    }
    return DriveRecord(**{**content, **parts})
