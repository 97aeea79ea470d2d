# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Shards of a recording put together: the same folder as if one machine had recorded all bags."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from depth_node.config.record import SPEED_ONLY, RecordConfig
from depth_node.config.setting import build
from depth_node.errors import SequenceError
from depth_node.kitti import layout
from depth_node.recording.assembly import assemble, write_manifest
from depth_node.recording.bag_part import Part
from depth_node.recording.manifest import Manifest, read_manifest
from depth_node.recording.recorder import FILES, existing_recording
from depth_node.recording.staging import READY, staging_folder


def merge(shards: Sequence[Path], output: Path, finish: Callable[[Path], None] | None = None) -> Manifest:
    """Put the outputs of all shards of a recording together.

    Args:
        shards: their folders, in any order; they stay as they are.
        output: the folder to write; new, empty, holding this very recording already, or an interrupted merge.
        finish: as of `record`.

    Returns:
        The manifest, also in `output/manifest.json`.

    Raises:
        SequenceError: a folder is no shard, a shard is missing or of other settings, or the output cannot be written.
        CalibrationError: drives of one day have different calibrations.
    """
    found = [(Path(shard), read_manifest(Path(shard) / layout.MANIFEST)) for shard in shards]
    if not found:
        raise SequenceError("no shard to merge: name the outputs of all of them")
    _check(found)
    first = found[0][1]
    settings = first.settings
    parts = sorted(
        ((folder, _part(manifest, bag.position)) for folder, manifest in found for bag in manifest.bags),
        key=lambda part: part[1].bag.position,
    )
    bags = tuple(part.bag for _, part in parts)
    output = Path(output).resolve()
    identity = json.dumps([settings, [bag.identity for bag in bags]], default=lambda file: file.__dict__)
    if (done := existing_recording(output, settings, bags, "", identity)) is not None:
        return done
    config = build(RecordConfig, {k: v for k, v in settings.items() if k not in (*FILES, *SPEED_ONLY)})
    with staging_folder(output, layout.MANIFEST, identity, lambda staging: any(staging.glob("*/*_sync"))) as staging:
        if not (staging / READY).exists():
            manifest = replace(assemble(parts, staging, config, settings, _copy), total=first.total)
            write_manifest(staging, manifest)
            if finish is not None:
                finish(staging)
    return read_manifest(output / layout.MANIFEST)


def _check(shards: Sequence[tuple[Path, Manifest]]) -> None:
    """Raise SequenceError unless these are all shards of one recording."""
    first_folder, first = shards[0]
    seen: dict[int, Path] = {}
    for folder, manifest in shards:
        if not manifest.shard:
            raise SequenceError(f"{folder} is a whole recording, not a shard: merge only what --shard I/N wrote")
        same = (manifest.version, manifest.package_version, manifest.settings, manifest.total)
        if same != (first.version, first.package_version, first.settings, first.total):
            raise SequenceError(f"{folder} and {first_folder} were recorded with other settings or lists of bags")
        for bag in manifest.bags:
            if bag.position in seen:
                raise SequenceError(f"{folder} and {seen[bag.position]} hold the same shard: name each one once")
            seen[bag.position] = folder
    missing = sorted(set(range(first.total)) - set(seen))
    if missing:
        raise SequenceError(
            f"{len(missing)} of {first.total} bags are in none of the shards, the first is number {missing[0] + 1}: "
            "name the outputs of all shards"
        )


def _part(manifest: Manifest, position: int) -> Part:
    bag = next(bag for bag in manifest.bags if bag.position == position)
    return Part(bag, tuple(drive for drive in manifest.drives if drive.position == position))


def _copy(source: Path, target: Path) -> None:
    """Copy a drive, by links where the file system can; whole or not at all."""
    temporary = target.with_name(f".{target.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.copytree(source, temporary, copy_function=_link_or_copy)
    os.replace(temporary, target)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
