# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which frames teach depth: sharp, well exposed, new, and taken from another place than the one before.

A frame is dropped only on evidence: where motion cannot be measured, it stays. Everything is measured against the last
kept frame, so that a creeping camera gives a frame as soon as it has crept far enough.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

import cv2

from depth_node.camera.calibration import CameraCalibration
from depth_node.config.record import RecordConfig
from depth_node.recording.image_motion import Gray, Motion, MotionMeter
from depth_node.recording.picture_quality import PictureQuality
from depth_node.recording.timeline import SECOND, TimedImage
from depth_node.sensing.odometry_track import OdometryTrack

REASONS = {
    "static": "the camera stands still",
    "rotation": "the camera turns on the spot",
    "little parallax": "the camera has moved too little since the last kept frame",
    "blurred": "blurred",
    "dark": "under-exposed",
    "bright": "over-exposed",
    "duplicate": "the same picture as the one before",
    "stamp": "stamp missing, repeated or out of order",
    "rate": "between two steps of the rate asked for",
    "damaged": "cannot be decoded",
    "short": "too few frames in a row for training",
}
"""Why frames are left out, by category."""

WAITING = ("static", "little parallax", "duplicate")
"""Categories during which the camera stays about where it was: neighbours on both sides still fit together."""

WINDOW = 30
LEAST_WINDOW = 5
"""Frames whose sharpness says what is usual, and how many of them are enough to judge."""
SURE, MOST_UNMEASURED, SURE_NS = 2.0, 3, 350_000_000
"""A camera that has just moved by so many times the parallax asked for cannot stop or start to turn on the spot within
so many frames, if they are no farther apart than this and still change as much: they are kept without measuring."""
NOISE = 0.04
"""Share of a flow that may look like parallax when the camera only turns: corners are not found exactly."""
STILL = 0.4
"""Share of the parallax asked for below which a movement is called standing still."""


@dataclass(frozen=True)
class Measures:
    """What was measured of a frame; None where it could not be.

    Attributes:
        parallax: since the last kept frame, pixels of the raw picture, rotation taken out; measured of every fourth
            frame while the camera moves fast.
        flow: the same with rotation.
        rotation: degrees since the last kept frame.
        distance: metres since then, by odometry.
        sharpness: relative to that of the frames before; 1 is usual.
        brightness: mean, 0 to 255.
        clipped: share of pixels that are black or white.
    """

    parallax: float | None = None
    flow: float | None = None
    rotation: float | None = None
    distance: float | None = None
    sharpness: float | None = None
    brightness: float | None = None
    clipped: float | None = None


@dataclass(frozen=True)
class Decision:
    """Whether a frame stays, why not, why a new drive begins with it, and what was measured."""

    measures: Measures
    category: str = ""
    reason: str = ""
    begins: str = ""


class Selector:
    """Decides frame after frame of one bag."""

    def __init__(self, config: RecordConfig, cameras: list[CameraCalibration], track: OdometryTrack | None) -> None:
        """Start before the first frame.

        Args:
            config: thresholds.
            cameras: calibrations that frames refer to.
            track: odometry, filled ahead of the frames; None to go by pictures alone.
        """
        self._config = config
        self._meters = [MotionMeter(camera) for camera in cameras]
        self._widths = [camera.width for camera in cameras]
        self._track = track
        self._sharpness: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self._previous: Gray | None = None
        self._begins = self._turned = ""
        self._kept_ns: int | None = None
        self._kept: Gray | None = None
        self._unmeasured = MOST_UNMEASURED
        self._sure_ns, self._sure_change = 0, 0.0
        self._anchor_ns = self._latest_ns = 0
        self._waited_ns = 0

    def decide(self, frame: TimedImage, small: Gray, quality: PictureQuality) -> Decision:
        """Decide on the next readable frame, given it shrunk and its quality."""
        self._begins = frame.begins or self._begins
        sharpness = self._relative_sharpness(quality)
        change = self._change(small)
        duplicate = change == 0.0
        motion = None if self._begins or self._is_sure(frame, change) else self._measure(frame, small, change)
        travelled = self._travelled(frame.stamp_ns)
        measures = Measures(
            None if motion is None else round(motion.parallax, 3),
            None if motion is None else round(motion.flow, 3),
            None if motion is None else round(motion.degrees, 4),
            None if travelled is None else round(travelled[0], 4),
            None if sharpness is None else round(sharpness, 3),
            round(quality.brightness, 2),
            round(float(quality.black + quality.white), 4),
        )
        category, reason = "", ""
        if self._config.select == "motion":
            category, reason = self._problem(quality, sharpness, duplicate)
            if not category and not self._begins:
                category, reason = self._standstill(motion, travelled, frame.camera)
        decision = Decision(measures, category, reason)
        decision = self._drop(frame, decision, motion, travelled, small) if category else self._keep(frame, decision)
        if not decision.category:
            self._kept, self._anchor_ns = small, frame.stamp_ns
        self._latest_ns = frame.stamp_ns
        return decision

    def _change(self, small: Gray) -> float | None:
        """Mean difference from the picture before; None where there is none of its size."""
        before, self._previous = self._previous, small
        if before is None or before.shape != small.shape:
            return None
        return float(cv2.norm(small, before, cv2.NORM_L1)) / small.size

    def _is_sure(self, frame: TimedImage, change: float | None) -> bool:
        """Whether a frame can be kept without measuring, because of how fast the camera was just before."""
        if self._unmeasured >= MOST_UNMEASURED or change is None or change < self._sure_change / 2:
            return False
        return frame.stamp_ns - self._sure_ns <= SURE_NS

    def _measure(self, frame: TimedImage, small: Gray, change: float | None) -> Motion | None:
        meter = self._meters[frame.camera]
        if self._kept is not None:
            meter.set_anchor(self._kept)
            self._kept = None
        motion = meter.measure(small)
        fast = motion is not None and motion.parallax >= SURE * self._wanted(frame.camera)
        self._unmeasured, self._sure_ns = 0 if fast else MOST_UNMEASURED, frame.stamp_ns
        self._sure_change = change or 0.0
        return motion

    def _wanted(self, camera: int) -> float:
        """Parallax asked for, pixels."""
        return self._config.min_parallax / 100 * self._widths[camera]

    def _keep(self, frame: TimedImage, decision: Decision) -> Decision:
        begins = self._begins or self._turned
        if not begins and self._kept_ns is not None:
            interval = frame.stamp_ns - self._kept_ns
            if interval > self._config.max_pause * SECOND:
                begins = f"the camera stood still for {interval / SECOND:.3g} s"
            elif interval - self._waited_ns > frame.limit_ns:
                begins = f"{interval / SECOND:.3g} s without a usable frame"
        if begins:
            self._unmeasured = MOST_UNMEASURED
        elif decision.measures.parallax is None:
            self._unmeasured += 1
        self._begins = self._turned = ""
        self._kept_ns, self._waited_ns = frame.stamp_ns, 0
        return Decision(decision.measures, begins=begins)

    def _drop(
        self,
        frame: TimedImage,
        decision: Decision,
        motion: Motion | None,
        travelled: tuple[float, float] | None,
        small: Gray,
    ) -> Decision:
        self._unmeasured = MOST_UNMEASURED
        if decision.category in WAITING:
            self._waited_ns += max(frame.stamp_ns - max(self._latest_ns, self._kept_ns or 0), 0)
        turned = travelled[1] if travelled else motion.degrees if motion else 0.0
        if decision.category == "rotation" and turned > self._config.max_rotation:
            # The frames before and after share too little: measure from here, and begin anew.
            self._kept = small
            self._anchor_ns, self._turned = frame.stamp_ns, f"the camera turned by {turned:.0f} degrees on the spot"
        return decision

    def _relative_sharpness(self, quality: PictureQuality) -> float | None:
        """Sharpness over what is usual, the worse of rows and columns; None for the first frames."""
        before = list(self._sharpness)
        self._sharpness.append(quality.sharpness)
        if len(before) < LEAST_WINDOW:
            return None
        usual = [median(values) for values in zip(*before, strict=True)]
        return min((now / then for now, then in zip(quality.sharpness, usual, strict=True) if then > 0), default=None)

    def _problem(self, quality: PictureQuality, sharpness: float | None, duplicate: bool) -> tuple[str, str]:
        if quality.black > self._config.max_clipped:
            return "dark", f"under-exposed: {quality.black:.0%} of the pixels are black"
        if quality.white > self._config.max_clipped:
            return "bright", f"over-exposed: {quality.white:.0%} of the pixels are white"
        if duplicate:
            return "duplicate", REASONS["duplicate"]
        if sharpness is not None and sharpness < self._config.min_sharpness:
            return "blurred", f"blurred: {sharpness:.0%} of the usual sharpness"
        return "", ""

    def _travelled(self, stamp_ns: int) -> tuple[float, float] | None:
        if self._track is None or self._begins or not self._anchor_ns:
            return None
        return self._track.between(self._anchor_ns, stamp_ns)

    def _standstill(self, motion: Motion | None, travelled: tuple[float, float] | None, camera: int) -> tuple[str, str]:
        wanted = self._wanted(camera)
        if travelled is not None and travelled[0] < self._config.min_distance:
            moved, turned = travelled
            if turned > 1.0:
                return "rotation", f"the camera turns on the spot: {turned:.1f} degrees, {moved:.3f} m"
            return "static", f"the camera stands still: {moved:.3f} m by odometry"
        enough = wanted + NOISE * motion.flow if motion is not None else 0.0
        if motion is None or motion.parallax >= enough:
            return "", ""
        numbers = f"{motion.parallax:.1f} of {enough:.1f} pixels of parallax"
        if travelled is None and motion.flow - motion.parallax > wanted:
            return "rotation", f"the camera turns on the spot: {motion.degrees:.1f} degrees, {numbers}"
        if motion.parallax < STILL * wanted:
            return "static", f"the camera stands still: {numbers}"
        return "little parallax", f"the camera has moved too little: {numbers}"
