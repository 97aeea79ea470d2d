# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Finds the camera_info that belongs to an image, whichever of the two arrives first.

A synchronised driver gives image and info the same stamp: only equal stamps pair. A driver that latches its info once,
or stamps it on its own, never gives equal stamps: its newest info holds for every image.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from depth_node.camera.calibration import CameraCalibration
from depth_node.errors import CalibrationError

REMEMBERED_INFOS = 64
PATIENCE = 0.25
"""Seconds an image waits for the info of its own stamp when no later image arrives."""
SILENCE = 3
"""Images in a row without any info between them, after which a camera counts as one that latches its info."""


def stamp_of(message: Any) -> tuple[int, int]:
    """Seconds and nanoseconds of a message's header stamp."""
    stamp = message.header.stamp
    return stamp.sec, stamp.nanosec


def calibration_of(info: Any) -> tuple[Any, ...]:
    """Everything of a CameraInfo but its header, to compare two of them."""
    roi = info.roi
    return (
        (info.width, info.height, info.distortion_model, info.binning_x, info.binning_y),
        (roi.x_offset, roi.y_offset, roi.width, roi.height),
        *(tuple(numbers) for numbers in (info.d, info.k, info.r, info.p)),
    )


def is_alike(info: Any, other: Any) -> bool:
    """Whether two CameraInfo describe one camera that focuses or steadies its pictures now and then."""
    if calibration_of(info) == calibration_of(other):
        return True
    try:
        return CameraCalibration.from_camera_info(info).is_close(CameraCalibration.from_camera_info(other))
    except CalibrationError:
        return False


class InfoPairing:
    """Pairs images with infos by exact stamp, and with the newest info where a camera does not stamp its infos alike.

    Not thread-safe: all calls come from one executor thread. At most one image is held.
    """

    def __init__(self, deliver: Callable[[Any, Any, float], None], drop: Callable[[str], None]) -> None:
        """Take the receivers.

        Args:
            deliver: called with image, info and the image's time of arrival (as given to `add_image`).
            drop: called with a reason for each image that stays alone.
        """
        self._deliver, self._drop = deliver, drop
        self._infos: OrderedDict[tuple[int, int], Any] = OrderedDict()
        self._newest: Any = None
        self._waiting: tuple[Any, float] | None = None
        self._last_alone: tuple[int, int] | None = None
        self._unstamped = False
        self._silent = 0

    def add_info(self, info: Any) -> None:
        """Remember an info; an image that waits for it is delivered."""
        stamp = stamp_of(info)
        self._infos[stamp] = self._newest = info
        self._infos.move_to_end(stamp)
        self._silent = 0
        while len(self._infos) > REMEMBERED_INFOS:
            self._infos.popitem(last=False)
        if stamp == self._last_alone:
            self._unstamped = False  # it was only late
        if self._waiting and stamp_of(self._waiting[0]) == stamp:
            (image, arrival), self._waiting = self._waiting, None
            self._deliver(image, info, arrival)

    def add_image(self, image: Any, now: float) -> None:
        """Deliver an image if its info is known, else let it wait.

        Args:
            image: message with a header.
            now: monotonic time, seconds.
        """
        self._silent += 1
        self._settle()
        info = self._infos.get(stamp_of(image))
        if info is not None:
            self._unstamped = False
            self._deliver(image, info, now)
        elif self._unstamped:
            self._deliver_with_newest(image, now)
        else:
            self._waiting = (image, now)

    def expire(self, now: float) -> None:
        """Settle an image that has waited for `PATIENCE`."""
        if self._waiting and now - self._waiting[1] > PATIENCE:
            self._settle()

    def _settle(self) -> None:
        """Decide over an image whose own info has not come."""
        if self._waiting is None:
            return
        (image, arrival), self._waiting = self._waiting, None
        if self._newest is None:
            self._drop("no camera_info")
        elif self._silent >= SILENCE or all(is_alike(info, self._newest) for info in self._infos.values()):
            self._unstamped = True
            self._deliver_with_newest(image, arrival)
        else:
            self._drop("no camera_info of its stamp")  # a zooming camera: any other info may be wrong

    def _deliver_with_newest(self, image: Any, arrival: float) -> None:
        self._last_alone = stamp_of(image)
        self._deliver(image, self._newest, arrival)
