# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A recording's manifest as rows of numbers over time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from depth_node.kitti.formats import OxtsPacket, read_oxts
from depth_node.kitti.layout import KittiSequence
from depth_node.kitti.mercator import Mercator
from depth_node.recording.manifest import DriveRecord, DroppedFrame, KeptFrame, Manifest

Floats = NDArray[np.float64]
KEPT = "kept"
LONGEST_PAUSE = 60.0
"""Seconds; a clock that was set forward by years is drawn as a pause of this."""
MISSTAMPED = ("stamp",)
"""Categories of frames whose stamp means nothing."""


@dataclass(frozen=True)
class Track:
    """The way of one drive.

    Attributes:
        metres: (N, 2) east and north (or odometry's own axes), m.
        speeds: (N,) m/s; 0 where not measured.
    """

    metres: Floats
    speeds: Floats


@dataclass(frozen=True)
class RecordingNumbers:
    """All pictures of a recording in order, kept or not.

    Attributes:
        seconds: (N,) time since the first picture, pauses between bags left out.
        categories: `kept` or why a picture was dropped, one each.
        parallax: (N,) percent of the picture's width; this and the following NaN where not measured.
        rotation: (N,) degrees since the frame before.
        sharpness: (N,) relative to what is usual.
        brightness: (N,) 0 to 255.
        intervals: seconds between kept frames that follow each other in a drive.
        drives: frames of each drive.
        tracks: of drives with positions, as folder and way.
    """

    seconds: Floats
    categories: tuple[str, ...]
    parallax: Floats
    rotation: Floats
    sharpness: Floats
    brightness: Floats
    intervals: Floats
    drives: tuple[int, ...]
    tracks: dict[str, Track] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Pictures by category, most first, kept ones at the front."""
        counts = Counter(self.categories)
        return {KEPT: counts.pop(KEPT, 0), **dict(counts.most_common())}

    def share(self, *categories: str) -> float:
        """Share of all pictures that were dropped for these reasons."""
        counts = Counter(self.categories)
        return sum(counts[category] for category in categories) / max(len(self.categories), 1)

    def of_kept(self, values: Floats) -> Floats:
        """Measured values of kept frames."""
        kept = np.array([category == KEPT for category in self.categories], np.bool_)
        return values[kept & np.isfinite(values)]

    @property
    def way(self) -> float:
        """Metres driven on all tracks."""
        steps = (np.linalg.norm(np.diff(track.metres, axis=0), axis=1).sum() for track in self.tracks.values())
        return float(sum(steps))


def read_numbers(manifest: Manifest, folder: Path) -> RecordingNumbers:
    """Bring a manifest in order; positions come from the oxts files below the recording's folder."""
    frames: list[KeptFrame | DroppedFrame] = []
    widths: list[int] = []
    seconds: list[Floats] = []
    end = 0.0
    for bag in manifest.bags:
        drives = [drive for drive in manifest.drives if drive.position == bag.position]
        found: list[tuple[KeptFrame | DroppedFrame, int]] = [(frame, 1) for frame in bag.dropped]
        for drive in drives:
            found += [(frame, drive.camera.width) for frame in drive.frames]
            found += [(frame, drive.camera.width) for frame in drive.dropped]
        found.sort(key=lambda entry: entry[0].source)
        frames += [frame for frame, _ in found]
        widths += [width for _, width in found]
        times = end + _seconds([frame for frame, _ in found])
        seconds.append(times)
        end = float(times[-1]) if len(times) else end
    return RecordingNumbers(
        seconds=np.concatenate(seconds) if seconds else np.zeros(0),
        categories=tuple(_category(frame) for frame in frames),
        parallax=100 * _column(frames, "parallax") / np.array(widths, np.float64),
        rotation=_column(frames, "rotation"),
        sharpness=_column(frames, "sharpness"),
        brightness=_column(frames, "brightness"),
        intervals=_intervals(manifest.drives),
        drives=tuple(len(drive.frames) for drive in manifest.drives),
        tracks={drive.folder: track for drive in manifest.drives if (track := _track(drive, folder)) is not None},
    )


def _category(frame: KeptFrame | DroppedFrame) -> str:
    return KEPT if isinstance(frame, KeptFrame) else frame.category or "other"


def _column(frames: list[KeptFrame | DroppedFrame], name: str) -> Floats:
    values = [getattr(frame, name) for frame in frames]
    return np.array([np.nan if value is None else value for value in values], np.float64)


def _seconds(frames: list[KeptFrame | DroppedFrame]) -> Floats:
    """Time since the first picture; stamps that mean nothing take that of the picture before."""
    times, latest, now = [], None, 0.0
    for frame in frames:
        if _category(frame) not in MISSTAMPED:
            if latest is not None:
                now += min(max((frame.stamp_ns - latest) / 1e9, 0.0), LONGEST_PAUSE)
            latest = frame.stamp_ns
        times.append(now)
    return np.array(times, np.float64)


def _intervals(drives: tuple[DriveRecord, ...]) -> Floats:
    steps = [np.diff([frame.stamp_ns for frame in drive.frames]) / 1e9 for drive in drives if len(drive.frames) > 1]
    return np.concatenate(steps) if steps else np.zeros(0)


def _track(drive: DriveRecord, folder: Path) -> Track | None:
    """Positions that oxts holds; None where they were not measured."""
    motion = drive.side.get("motion")
    if not motion or {"lat", "lon"} <= set(motion.get("never_measured", ())):
        return None
    sequence = KittiSequence(folder / drive.folder)
    paths = [sequence.oxts_path(frame.index) for frame in drive.frames]
    packets: list[OxtsPacket] = [read_oxts(path) for path in paths if path.is_file()]
    if len(packets) < 2:
        return None
    degrees = np.array([(packet.lat, packet.lon) for packet in packets])
    metres = Mercator(float(degrees[0, 0])).metres(degrees[:, 0], degrees[:, 1])
    speeds = np.array([np.hypot(packet.vf, packet.vl) for packet in packets])
    return Track(metres - metres[0], speeds)
