# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Is a recording fit for training? What speaks for it, what against it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from depth_node.camera.calibration import doubts_about
from depth_node.recording.manifest import Manifest
from depth_node.recording.report.numbers import KEPT, RecordingNumbers

GOOD, NOTE, FAIR, POOR = "good", "note", "fair", "poor"
"""How much a finding matters: it is well, worth knowing, costs quality, or forbids training."""
VERDICTS = {
    GOOD: "Fit for training.",
    FAIR: "Usable for training, with reservations.",
    POOR: "Not fit for training as it is.",
}
FEWEST, FEW = 100, 2000
"""Triplets below which nothing, or only fine-tuning, can be learnt."""
LITTLE_PARALLAX, MUCH_PARALLAX = 0.4, 6.0
"""Percent of the picture's width from one frame to the next; KITTI's streets, at 10 pictures a second, have about 1."""
FAST_TURN = 5.0
"""Degrees from one frame to the next."""
SHORT_DRIVE = 30
"""Frames; many drives shorter than this mean a camera or disk that did not keep up."""
NARROW, WIDE = 25.0, 120.0
"""Degrees of view that pinhole networks are used to."""
LEAST_WIDTH = 320


@dataclass(frozen=True)
class Finding:
    """One thing to know about a recording, and what to do about it (empty: nothing)."""

    level: str
    text: str
    advice: str = ""


def judge(manifest: Manifest, numbers: RecordingNumbers) -> list[Finding]:
    """All findings, the gravest first."""
    found = [
        *_amount(manifest, numbers),
        *_motion(numbers),
        *_quality(numbers),
        *_time(manifest, numbers),
        *_camera(manifest),
        *_damage(manifest),
        *_beside(manifest),
    ]
    order = (POOR, FAIR, NOTE, GOOD)
    return sorted(found, key=lambda finding: order.index(finding.level))


def verdict(findings: list[Finding]) -> str:
    """`good`, `fair` or `poor`: the gravest finding decides."""
    levels = {finding.level for finding in findings}
    return POOR if POOR in levels else FAIR if FAIR in levels else GOOD


def _amount(manifest: Manifest, numbers: RecordingNumbers) -> Iterator[Finding]:
    triplets, kept = manifest.train + manifest.val, numbers.counts[KEPT]
    text = f"{kept} of {len(numbers.categories)} pictures are kept; they make {triplets} triplets"
    if triplets < FEWEST:
        yield Finding(
            POOR,
            f"{text}, too few to learn from",
            f"record more: some {FEW} triplets (minutes of driving) to begin with, ten times as many to be good",
        )
    elif triplets < FEW:
        yield Finding(
            FAIR,
            f"{text}, enough to adapt a trained network, little to begin one",
            "record more, or begin from a checkpoint",
        )
    else:
        yield Finding(GOOD, text)
    if triplets >= FEWEST and not manifest.val:
        yield Finding(FAIR, "there are no validation triplets", "raise --val_fraction, or record longer drives")


def _motion(numbers: RecordingNumbers) -> Iterator[Finding]:
    still, turning = numbers.share("static", "little parallax", "duplicate"), numbers.share("rotation")
    if still > 0.5:
        yield Finding(
            FAIR,
            f"the camera stands or creeps in {still:.0%} of the pictures",
            "drive on, or record moving stretches only",
        )
    if turning > 0.2:
        yield Finding(
            FAIR,
            f"the camera turns on the spot in {turning:.0%} of the pictures, which says nothing of depth",
            "move along while turning",
        )
    parallax, rotation = numbers.of_kept(numbers.parallax), numbers.of_kept(numbers.rotation)
    if not len(parallax):
        yield Finding(NOTE, "parallax could not be measured", "look at the sample frames: do they show texture?")
        return
    middle = float(np.median(parallax))
    text = f"between frames, things shift by {middle:.2g} % of the picture's width"
    if middle < LITTLE_PARALLAX:
        yield Finding(FAIR, f"{text}: little to learn depth from", "drive faster, or raise --min_parallax")
    elif middle > MUCH_PARALLAX:
        yield Finding(
            FAIR, f"{text}: too much to follow", "record at a higher frame rate, drive slower, lower --min_parallax"
        )
    else:
        yield Finding(GOOD, f"{text}, as it should be")
    if len(rotation) and (fast := float(np.percentile(rotation, 90))) > FAST_TURN:
        yield Finding(
            FAIR,
            f"a tenth of the frames turn by more than {fast:.1f} degrees",
            "turn slower, or record at a higher rate",
        )


def _quality(numbers: RecordingNumbers) -> Iterator[Finding]:
    rules = (
        ("blurred", 0.1, "blurred", "expose shorter, add light, mount the camera firmly, clean the lens"),
        ("dark", 0.05, "too dark", "record by day, or let the camera expose longer"),
        ("bright", 0.05, "too bright", "turn on automatic exposure, keep the sun out of the picture"),
    )
    for category, limit, words, advice in rules:
        if (share := numbers.share(category)) > limit:
            yield Finding(FAIR, f"{share:.0%} of the pictures are {words}", advice)


def _time(manifest: Manifest, numbers: RecordingNumbers) -> Iterator[Finding]:
    if (share := numbers.share("stamp")) > 0.01:
        yield Finding(
            FAIR,
            f"{share:.0%} of the pictures have a missing, repeated or backward stamp",
            "set the driver's clock right, or use the time of recording: --stamps bag",
        )
    if len(numbers.drives) > 3 and np.median(numbers.drives) < SHORT_DRIVE:
        reasons = sorted({drive.begins for drive in manifest.drives if drive.begins})[:2]
        yield Finding(
            FAIR,
            f"the recording falls into {len(numbers.drives)} short drives ({'; '.join(reasons) or 'gaps'})",
            "find out what drops pictures (record compressed, to a fast local disk), or allow more with --gap",
        )
    if len(numbers.intervals) > 10:
        middle = float(np.median(numbers.intervals))
        uneven = float((numbers.intervals > 1.5 * middle).mean())
        text = f"frames come every {middle * 1e3:.0f} ms"
        if uneven > 0.1:
            yield Finding(NOTE, f"{text}, {uneven:.0%} of them much later", "an even rate trains better: --rate")
        else:
            yield Finding(GOOD, f"{text}, evenly")


def _camera(manifest: Manifest) -> Iterator[Finding]:
    for camera in sorted({drive.camera for drive in manifest.drives}, key=repr):
        view = float(np.degrees(2 * np.arctan(camera.width / 2 / camera.intrinsics[0])))
        if manifest.settings.get("learn_intrinsics"):
            yield Finding(
                NOTE,
                f"nobody knows the camera: that it sees {view:.0f} degrees across is a first guess",
                "train with --network.learn_intrinsics, on drives with bends",
            )
        for doubt in doubts_about(camera.intrinsics, camera.width, camera.height):
            yield Finding(FAIR, f"the calibration is hard to believe: {doubt}", "calibrate the camera again")
        if camera.width < LEAST_WIDTH:
            yield Finding(FAIR, f"pictures are only {camera.width}x{camera.height}", "record at a higher resolution")
        if not NARROW <= view <= WIDE:
            advice = "check K of the calibration; crop a fisheye's edge away with P of camera_info"
            yield Finding(
                FAIR, f"the camera sees {view:.0f} degrees across, far from what networks are used to", advice
            )


def _damage(manifest: Manifest) -> Iterator[Finding]:
    for bag in manifest.bags:
        if bag.lost is not None:
            lost = "an unknown number of" if bag.lost.messages is None else str(bag.lost.messages)
            note = f" ({bag.lost.note})" if bag.lost.note else ""
            yield Finding(NOTE, f"bag {bag.name} is damaged{note}: {lost} messages could not be read")
    broken = sum(frame.category == "damaged" for drive in manifest.drives for frame in drive.dropped)
    if broken:
        yield Finding(NOTE, f"{broken} pictures could not be decoded", "check the recording's disk and network")


def _beside(manifest: Manifest) -> Iterator[Finding]:
    """Notes of the writers of side data, and what there is to get metres from."""
    notes = {note: None for drive in manifest.drives for record in drive.side.values() for note in record["notes"]}
    for note in notes:
        yield Finding(NOTE, note)
    lidars = [drive.side["lidar"] for drive in manifest.drives if "lidar" in drive.side]
    yield from _lidar_problems(lidars)
    measured = [record for record in lidars if record.get("median_points_in_picture")]
    moving = any(
        "vf" not in drive.side["motion"]["never_measured"] for drive in manifest.drives if "motion" in drive.side
    )
    depths = [drive.side["depth"] for drive in manifest.drives if drive.side.get("depth", {}).get("frames")]
    if depths:
        yield Finding(
            GOOD,
            f"depth images lie beside {sum(record['frames'] for record in depths)} frames, which know about "
            f"{np.median([record['median_share'] for record in depths]):.0%} of the pixels: results can be "
            "measured and scaled to metres",
        )
    if measured:
        frames = sum(len(drive.frames) for drive in manifest.drives)
        yield Finding(
            GOOD,
            f"lidar depth lies beside {sum(record['frames'] for record in measured)} of {frames} frames, about "
            f"{np.median([record['median_points_in_picture'] for record in measured]):.0f} points in a picture: "
            "results can be measured and scaled to metres",
        )
    elif not depths and moving:
        yield Finding(GOOD, "speed is known: depth can be scaled to metres")
    elif not depths:
        yield Finding(
            NOTE,
            "there is neither lidar nor speed: depth will be right but for its scale",
            "record lidar (with /tf_static) or odometry along, if metres matter",
        )


def _lidar_problems(lidars: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """What keeps scans from saying anything about pictures: another clock, or another place than the camera's view."""
    recorded = [record for record in lidars if record.get("scans")]
    unmatched = [record for record in recorded if not record["frames"] and record.get("nearest_s") is not None]
    if unmatched:
        nearest = min(record["nearest_s"] for record in unmatched)
        yield Finding(
            POOR,
            f"lidar and camera do not go by one clock: in {len(unmatched)} drives no scan belongs to a frame, the "
            f"nearest is {_duration(nearest)} away",
            "let both be stamped by one clock (37 s are TAI for UTC, decades are the time since the lidar was switched "
            "on), or leave the lidar out: --lidar_topic none",
        )
    blind = [record for record in recorded if "T_camera_lidar" in record and record["frames"]]
    blind = [record for record in blind if not record["median_points_in_picture"]]
    if blind:
        yield Finding(
            POOR,
            f"no lidar point falls into the picture in {len(blind)} drives, so that its place cannot be right",
            "the camera's frame_id must be its optical frame (z ahead), and /tf_static or --extrinsics lead to it",
        )
    if any(record["frames"] and "T_camera_lidar" not in record for record in recorded):
        yield Finding(
            FAIR,
            "nothing says where the lidar sits: its scans are stored, but nothing can be measured with them",
            "record /tf_static along, or give --extrinsics FILE",
        )


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1e3:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 86400 else f"{seconds / 86400 / 365.25:.1f} years"
