# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The sources of scale: each keeps what its sensor sent and reads the newest picture that it can be matched with.

All of them are told about times in nanoseconds of the messages' stamps, so that a slow network or a slow link plays no
part; only what is nearest in time is compared.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.errors import DepthNodeError
from depth_node.scale.depth_frame import DepthFrame, Matrix, NoReading, Reading
from depth_node.scale.measured_points import scale_of_points, scale_of_range
from depth_node.scale.road_height import scale_of_height
from depth_node.scale.road_normal import RoadNormal
from depth_node.scale.triangulation import LEAST_WAY, scale_of_way
from depth_node.sensing.odometry_track import OdometryTrack

Mount = Callable[[str, str], Matrix]
"""T_target_source (4, 4) of two frames by name; raises NoReading where nothing tells."""

TOLERANCE = 0.05
"""Seconds between a measurement and the picture that it is compared with."""
REMEMBERED = 20
"""Measurements kept until their picture comes."""
REMEMBERED_NS = 10_000_000_000
"""Odometry kept."""
GOOD_WAY = 0.5
"""Metres between two pictures that tell enough; the nearest picture so far back is taken."""
BACKWARDS_NS = 1_000_000_000
"""Stamps that go back by more have started anew."""
BASE = "base_link"
SILENT = "nothing arrives"


class Source(ABC):
    """Something that says how long a unit of the predicted depth is."""

    @abstractmethod
    def read(self, frames: Sequence[DepthFrame]) -> Reading:
        """Read the newest of some pictures that can be read, oldest first; raises NoReading."""

    def forget(self) -> None:  # noqa: B027 (most keep something, not all)
        """Drop what was kept: time has gone back."""


@dataclass(frozen=True)
class _Measured:
    """A measurement and when it was taken."""

    stamp_ns: int
    frame_id: str
    content: Any


class _MatchedSource(Source):
    """A source whose measurements belong to the picture nearest in time."""

    def __init__(self, mount: Mount, name: str) -> None:
        """`mount` tells where sensors sit, `name` what this one is called in messages."""
        self._mount, self._name = mount, name
        self._kept: deque[_Measured] = deque(maxlen=REMEMBERED)

    def forget(self) -> None:
        """See `Source`."""
        self._kept.clear()

    def read(self, frames: Sequence[DepthFrame]) -> Reading:
        """See `Source`."""
        kept = list(self._kept)
        if not kept:
            raise NoReading(SILENT)
        for frame in reversed(frames):
            nearest = min(kept, key=lambda measured: abs(measured.stamp_ns - frame.stamp_ns))
            if abs(nearest.stamp_ns - frame.stamp_ns) <= TOLERANCE * 1e9:
                while self._kept and self._kept[0].stamp_ns <= nearest.stamp_ns:
                    self._kept.popleft()  # each is read once
                return self._compare(nearest, frame)
        away = min(abs(kept[-1].stamp_ns - frame.stamp_ns) for frame in frames) * 1e-9
        if away > 1.0:
            raise NoReading(
                f"the {self._name} is stamped {away:.1f} s away from the pictures: let both use the same clock"
            )
        raise NoReading(f"no picture within {TOLERANCE:g} s of what the {self._name} measured")

    @abstractmethod
    def _compare(self, measured: _Measured, frame: DepthFrame) -> Reading: ...


class CloudSource(_MatchedSource):
    """A lidar or a laser scanner: many points."""

    def __init__(self, mount: Mount, name: str, least: int) -> None:
        """`least` points must be in the picture; others as in the base class."""
        super().__init__(mount, name)
        self._least = least

    def add(self, stamp_ns: int, frame_id: str, points: Callable[[], NDArray[np.floating]]) -> None:
        """Take what gives (N, 3 or more) points in metres in a sensor's frame; it is asked only when they are due.

        It may raise DepthNodeError.
        """
        self._kept.append(_Measured(stamp_ns, frame_id, points))

    def _compare(self, measured: _Measured, frame: DepthFrame) -> Reading:
        transform = self._mount(frame.frame_id, measured.frame_id)
        try:
            points = measured.content()
        except DepthNodeError as error:
            raise NoReading(str(error)) from None
        return scale_of_points(points, transform, frame, self._least)


class RangeSource(_MatchedSource):
    """A range finder: one distance within a cone."""

    def __init__(self, mount: Mount, guess: Callable[[], float]) -> None:
        """`guess` tells the scale in use, where to look for the cone."""
        super().__init__(mount, "range finder")
        self._guess = guess

    def add(self, stamp_ns: int, frame_id: str, distance: float, field_of_view: float, is_sound: bool) -> None:
        """Take a distance in metres within a cone of a full angle in radians."""
        self._kept.append(_Measured(stamp_ns, frame_id, (distance, field_of_view, is_sound)))

    def _compare(self, measured: _Measured, frame: DepthFrame) -> Reading:
        transform = self._mount(measured.frame_id, frame.frame_id)
        distance, field_of_view, is_sound = measured.content
        return scale_of_range(distance, field_of_view, is_sound, transform, frame, self._guess())


class OdometrySource(Source):
    """Odometry: the way between two pictures."""

    def __init__(self, mount: Mount) -> None:
        """`mount` tells where the camera sits on what odometry describes."""
        self._mount = mount
        self._track, self._body = OdometryTrack(), BASE

    def forget(self) -> None:
        """See `Source`."""
        self._track = OdometryTrack()

    def add(self, stamp_ns: int, message: Any) -> None:
        """Take an Odometry message."""
        if stamp_ns < self._track.latest_ns - BACKWARDS_NS:
            self._track = OdometryTrack()
        self._body = message.child_frame_id or BASE
        self._track.add(message, stamp_ns)
        self._track.forget_before(stamp_ns - REMEMBERED_NS)

    def read(self, frames: Sequence[DepthFrame]) -> Reading:
        """See `Source`."""
        poses = [(frame, self._track.transform(frame.stamp_ns)) for frame in frames]
        known = [(frame, pose) for frame, pose in poses if pose is not None]
        if self._track.latest_ns < 0:
            raise NoReading(SILENT)
        if len(known) < 2:
            raise NoReading("odometry does not reach the time of the pictures: let both use the same clock")
        T_camera_body = self._mount(frames[-1].frame_id, self._body)
        (second, T_odom_second), T_body_camera = known[-1], np.linalg.inv(T_camera_body)
        ways = [
            (first, T_camera_body @ np.linalg.inv(T_odom_second) @ T_odom_first @ T_body_camera)
            for first, T_odom_first in reversed(known[:-1])
        ]
        lengths = [float(np.linalg.norm(T[:3, 3])) for _, T in ways]
        chosen = next((n for n, length in enumerate(lengths) if length >= GOOD_WAY), int(np.argmax(lengths)))
        if lengths[chosen] < LEAST_WAY:
            raise NoReading("the vehicle stands still: odometry says nothing of scale", is_waiting=True)
        first, T_second_first = ways[chosen]
        return scale_of_way(first, second, T_second_first)


class HeightSource(Source):
    """The camera's height above the road, given or from where the camera sits above a ground frame."""

    def __init__(self, mount: Mount, height: float, ground_frame: str) -> None:
        """`height` in metres, 0 to find it as that of the camera in `ground_frame`."""
        self._mount, self._height, self._ground_frame = mount, height, ground_frame
        self._road = RoadNormal()
        self._learnt_ns = -1

    def read(self, frames: Sequence[DepthFrame]) -> Reading:
        """See `Source`."""
        frame = frames[-1]
        if self._height:
            if len(frames) > 1 and frame.stamp_ns != self._learnt_ns:
                self._road.learn(frames[-2], frame)
                self._learnt_ns = frame.stamp_ns
            return scale_of_height(self._height, frame, self._road.normal)
        T_ground_camera = self._mount(self._ground_frame, frame.frame_id)
        height = float(T_ground_camera[2, 3])
        if height <= 0:
            raise NoReading(
                f"'{frame.frame_id}' lies {-height:.2f} m below '{self._ground_frame}': mend the transforms"
            )
        return scale_of_height(height, frame, -T_ground_camera[2, :3])
