# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Bags in, KITTI-style sequence folder out: its drives, calibration, splits and a manifest.

Each bag becomes a part (`part`), parts are put together (`assembly`), all of it in a hidden folder that moves into
place at the end (`staging`). What is finished of an interrupted recording is not done again.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from depth_node import __version__
from depth_node.bags.files import find_bags, input_files
from depth_node.bags.opening import open_bag
from depth_node.bags.reader import DamagedBagError
from depth_node.camera.calibration import CameraCalibration
from depth_node.checkpoints.by_name import located
from depth_node.config.record import SPEED_ONLY, RecordConfig
from depth_node.config.setting import values
from depth_node.errors import BagError, CalibrationError, SequenceError
from depth_node.kitti import layout
from depth_node.recording.assembly import assemble, other_calibration, write_manifest
from depth_node.recording.bag_part import PICTURES, Part, PartRecorder
from depth_node.recording.frame_stream import Source, inspect_bag
from depth_node.recording.manifest import VERSION, BagFile, BagRecord, LossRecord, Manifest, read_manifest
from depth_node.recording.sensors.labels import is_published
from depth_node.recording.staging import READY, STAGING, WORK, clear_staging, is_ready, staging_folder

Progress = Callable[[int, int], None]
"""Called with the number of pictures done and the number in all."""

FILES = ("calibration", "extrinsics", "semantic_checkpoint")
"""Settings that name a file: its content counts, not its place. A network on the hub counts by its name."""


def record(
    bags: Sequence[Path],
    output: Path,
    config: RecordConfig,
    progress: Progress | None = None,
    finish: Callable[[Path], None] | None = None,
) -> Manifest:
    """Write bags as a sequence folder, whole or not at all.

    Args:
        bags: bag folders or files, or folders that hold them.
        output: the folder to write; new, empty, holding this very recording already, or an interrupted one.
        config: settings.
        progress: told about every picture; may raise `RecordingStoppedError`.
        finish: adds files to the finished recording (a report), just before it moves into place.

    Returns:
        The manifest, also in `output/manifest.json`.

    Raises:
        BagError: a bag is not one, or its topics are missing or ambiguous, or nothing can be used.
        CalibrationError: the camera is uncalibrated or changes.
        EncodingError: the pictures cannot be decoded.
        SequenceError: the output holds something else or cannot be written.
    """
    if not bags:
        raise BagError("no bag to record: name at least one")
    output = Path(output).resolve()
    paths = find_bags(Path(bag) for bag in bags)
    with ExitStack() as readers:
        keep = readers if len(paths) == 1 else None  # opening takes a while, but thousands of bags cannot stay open
        sources = [_inspect(path, position, config, len(paths), keep) for position, path in _share(paths, config)]
        return _record(sources, output, config, len(paths), progress, finish)


def _record(
    sources: Sequence[Source | BagRecord],
    output: Path,
    config: RecordConfig,
    total: int,
    progress: Progress | None,
    finish: Callable[[Path], None] | None,
) -> Manifest:
    _check_days(sources, config)
    settings = result_settings(config)
    records = tuple(source.record if isinstance(source, Source) else source for source in sources)
    identity = _identity(settings, records, config.shard)
    if (done := existing_recording(output, settings, records, config.shard, identity)) is not None:
        return done
    with staging_folder(output, layout.MANIFEST, identity, _has_pictures) as staging:
        if not (staging / READY).exists():
            parts = _record_parts(sources, staging, config, progress)
            if not any(part.drives for _, part in parts):
                raise _nothing_usable(parts)
            manifest = replace(assemble(parts, staging, config, settings, os.replace), total=total)
            write_manifest(staging, manifest)
            if finish is not None:
                finish(staging)
    return read_manifest(output / layout.MANIFEST)


def result_settings(config: RecordConfig) -> dict[str, Any]:
    """Settings that change the result, for the manifest; files by name and content. Raises CalibrationError."""
    settings = {name: value for name, value in values(config).items() if name not in SPEED_ONLY}
    for name in FILES:
        if settings[name] and not (name == "semantic_checkpoint" and is_published(settings[name])):
            path = located(settings[name]) if name == "semantic_checkpoint" else Path(settings[name])
            try:
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
            except OSError as error:
                raise CalibrationError(f"cannot read --{name} {path}: {error.strerror}") from None
            settings[name] = f"{path.name} sha256:{digest}"
    return settings


def existing_recording(
    output: Path, settings: dict[str, Any], bags: tuple[BagRecord, ...], shard: str, identity: str
) -> Manifest | None:
    """The recording that an output folder holds already, if it is this one; None where there is room for it.

    Raises:
        SequenceError: the output holds something else.
    """
    if not output.exists():
        return None
    if not output.is_dir():
        raise SequenceError(f"output {output} is a file: choose another --output folder")
    try:
        content = [path for path in output.iterdir() if path.name != STAGING]
    except OSError as error:
        raise SequenceError(f"cannot read {output}: {error.strerror}; choose another --output") from None
    if not content or is_ready(output, identity):
        return None
    if not (output / layout.MANIFEST).exists():
        raise SequenceError(f"output {output} is not empty and holds no recording: choose another --output")
    manifest = read_manifest(output / layout.MANIFEST)
    if not manifest.same_input(settings, bags) or manifest.shard != shard:
        raise SequenceError(f"output {output} holds a recording of other bags or settings: choose another --output")
    clear_staging(output)
    return manifest


def _share(paths: Sequence[Path], config: RecordConfig) -> list[tuple[int, Path]]:
    """The bags of this shard with their positions in the list of all."""
    first, step = config.share
    mine = list(enumerate(paths))[first::step]
    if not mine:
        raise BagError(f"shard {config.shard} has no bag to record: there are only {len(paths)}, use fewer shards")
    return mine


def _inspect(path: Path, position: int, config: RecordConfig, count: int, keep: ExitStack | None) -> Source | BagRecord:
    """Look at a bag, and keep it open where asked; one of several of which nothing is readable is only noted."""
    try:
        with ExitStack() as stack:
            bag = stack.enter_context(open_bag(path, config=config))
            source = inspect_bag(bag, config)
            if keep is not None:
                keep.push(stack.pop_all())
                source = replace(source, reader=bag)
    except DamagedBagError as error:
        try:
            with open_bag(path, salvage=True, config=config) as bag:  # damage may show behind the opening, too
                source = replace(inspect_bag(bag, config), damaged=True)
        except DamagedBagError:
            if count == 1:
                raise error from None
            files = tuple(BagFile(file.name, file.stat().st_size) for file in input_files(path))
            loss = LossRecord(None, sum(file.bytes for file in files), str(error))
            return BagRecord(path.resolve().name, files, 0, 0, 0, loss, position)
    return replace(source, record=replace(source.record, position=position))


def _check_days(sources: Sequence[Source | BagRecord], config: RecordConfig) -> None:
    """Find two calibrations on one day before hours of work, not after; raises CalibrationError."""
    days: dict[str, CameraCalibration] = {}
    for source in sources:
        if isinstance(source, Source) and config.on_change == "error" and source.date_ns > 0:
            camera, date = source.cameras[0][1], layout.date_name(source.date_ns)
            if not days.setdefault(date, camera).is_close(camera):
                raise other_calibration(str(source.path), date)


def _record_parts(
    sources: Sequence[Source | BagRecord], staging: Path, config: RecordConfig, progress: Progress | None
) -> list[tuple[Path, Part]]:
    total = sum(source.images for source in sources if isinstance(source, Source))
    before = 0
    parts = []
    for number, source in enumerate(sources):
        folder = staging / WORK / f"{number:06d}"
        if isinstance(source, BagRecord):
            parts.append((folder, Part(source, ())))
            continue

        def tell(done: int, before: int = before, images: int = source.images) -> None:
            if progress is not None:
                progress(before + min(done, images), total)

        parts.append((folder, PartRecorder(source, config, folder, tell).run()))
        before += source.images
    return parts


def _nothing_usable(parts: Sequence[tuple[Path, Part]]) -> BagError:
    bags = [part.bag for _, part in parts]
    counts: dict[str, int] = {}
    for bag in bags:
        for frame in bag.dropped:
            counts[frame.reason] = counts.get(frame.reason, 0) + 1
    reasons = sorted(counts, key=lambda reason: -counts[reason])
    shown = "; ".join(f"{reason} ({counts[reason]}x)" if counts[reason] > 1 else reason for reason in reasons[:3])
    names = ", ".join(bag.name for bag in bags[:3])
    more = " (--select all keeps what teaches little)" if any(frame.parallax for frame in bags[0].dropped) else ""
    return BagError(f"no frame of {'bag' if len(bags) == 1 else 'bags'} {names} can be used: {shown}{more}")


def _identity(settings: dict[str, Any], bags: Sequence[BagRecord], shard: str) -> str:
    known = [[bag.name, [asdict(file) for file in bag.files], bag.position] for bag in bags]
    return json.dumps([VERSION, __version__, settings, known, shard], sort_keys=True)


def _has_pictures(staging: Path) -> bool:
    """Whether an interrupted recording has finished anything that is worth going on from."""
    if (staging / READY).exists() or any(staging.glob(f"{WORK}/*/part.json")):
        return True
    return any(next(folder.iterdir(), None) for folder in staging.glob(f"{WORK}/*/{PICTURES}"))
