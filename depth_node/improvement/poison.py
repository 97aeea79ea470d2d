# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a recording should be learnt from at all: what is wrong with it is known before hours are spent on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from depth_node.config.improve import ImproveConfig
from depth_node.kitti.layout import MANIFEST, KittiSequence
from depth_node.kitti.search import find_sequences
from depth_node.recording.manifest import Manifest, read_manifest
from depth_node.recording.picture_quality import measure_quality

SPOILT = {"blurred": "blurred", "dark": "too dark", "bright": "too bright"}
LOOKED_AT = 40
"""Pictures of a recording that sharpness is measured on."""


def reasons_to_refuse(recorded: Path, older: Sequence[Path], config: ImproveConfig) -> list[str]:
    """What speaks against learning from a recording, a line each; empty when nothing does.

    Args:
        recorded: folder that `depth record` wrote.
        older: folders of earlier recordings, to compare with.
        config: limits.

    Raises:
        SequenceError: a folder is no recording.
    """
    manifest = read_manifest(recorded / MANIFEST)
    reasons = [*_amount(manifest, config), *_spoilt(manifest, config)]
    known = [sequence for folder in older for sequence in find_sequences(folder)]
    if known:
        new = list(find_sequences(recorded))
        reasons += [*_sharpness(new, known, config), *_camera(new, known, config)]
    return reasons


def _amount(manifest: Manifest, config: ImproveConfig) -> Iterator[str]:
    triplets = manifest.train + manifest.val
    if triplets >= config.least_triplets and manifest.val:
        return
    dropped = Counter(frame.category for drive in manifest.drives for frame in drive.dropped)
    why = ", ".join(f"{count} {category}" for category, count in dropped.most_common(2))
    left = f" ({why} left out)" if why else ""
    yield f"{triplets} triplets{left}, {manifest.val} of them held back: at least {config.least_triplets} are needed"


def _spoilt(manifest: Manifest, config: ImproveConfig) -> Iterator[str]:
    frames = sum(len(drive.frames) + len(drive.dropped) for drive in manifest.drives)
    dropped = Counter(frame.category for drive in manifest.drives for frame in drive.dropped)
    for category, words in SPOILT.items():
        share = dropped[category] / max(frames, 1)
        if share > config.most_spoilt:
            yield f"{share:.0%} of the pictures are {words}"


def _sharpness(new: Sequence[KittiSequence], known: Sequence[KittiSequence], config: ImproveConfig) -> Iterator[str]:
    now, before = sharpness(new), sharpness(known)
    if now < config.least_sharpness * before:
        yield (
            f"the pictures are only {now / before:.0%} as sharp as those of the older recordings: is the lens dirty or "
            "out of focus?"
        )


def sharpness(sequences: Sequence[KittiSequence]) -> float:
    """Median over pictures, evenly from all of the sequences."""
    places = [(sequence, frame) for sequence in sequences for frame in sequence.frames]
    chosen = np.linspace(0, len(places) - 1, min(LOOKED_AT, len(places))).round().astype(int)
    looks = [measure_quality(places[index][0].image(places[index][1])) for index in chosen]
    return float(np.median([min(look.sharpness) for look in looks]))


def _camera(new: Sequence[KittiSequence], known: Sequence[KittiSequence], config: ImproveConfig) -> Iterator[str]:
    if config.new_camera:
        return
    before = [relative_focal(sequence) for sequence in known]
    for sequence in new:
        nearest = min(before, key=lambda focal: abs(np.log(focal / relative_focal(sequence))))
        change = relative_focal(sequence) / nearest - 1
        if abs(change) > config.focal_change:
            yield (
                f"the focal length is {relative_focal(sequence):.3f} of the picture's width, in the older recordings "
                f"{nearest:.3f}: calibrate again, or say --new_camera if it is another one"
            )
            return


def relative_focal(sequence: KittiSequence) -> float:
    """The focal length of a sequence over its pictures' width."""
    return float(sequence.K[0, 0]) / sequence.calibration.width
