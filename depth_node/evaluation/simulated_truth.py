# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which simulated ground truth belongs to which recorded drive, and which of its files to which frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from depth_node.errors import EvaluationError
from depth_node.kitti.layout import MANIFEST, KittiSequence
from depth_node.recording.manifest import BagRecord, Manifest, read_manifest
from depth_node.simulation import ground_truth as simulated


@dataclass(frozen=True)
class SimulatedFrames:
    """Files of a `ground_truth` folder by the frame of the drive that was recorded from its bag.

    They are numbered as the images of the bag. The recorder may have left images out: its manifest knows which image
    of the bag a frame was. A sequence without manifest is taken to hold all images in order.
    """

    sequence: KittiSequence
    folder: Path

    @cached_property
    def _sources(self) -> dict[int, int] | None:
        """Frame of the sequence to image of the bag; None without manifest; raises SequenceError."""
        manifest = _manifest_of(self.sequence.location)
        if manifest is None:
            return None
        records = [record for record in manifest.drives if Path(record.folder).name == self.sequence.location.name]
        return {frame.index: frame.source for record in records for frame in record.frames}

    def _number(self, index: int) -> int:
        return index if self._sources is None else self._sources.get(index, -1)

    def depth_path(self, index: int) -> Path:
        """Exact depth of a frame; raises SequenceError where the manifest cannot be read."""
        return simulated.depth_path(self.folder, self._number(index))

    def labels_path(self, index: int) -> Path:
        """Exact labels of a frame; raises SequenceError where the manifest cannot be read."""
        return simulated.labels_path(self.folder, self._number(index))


def match_ground_truth(drives: Sequence[Path], folders: Sequence[Path]) -> dict[Path, Path]:
    """The ground-truth folder of each drive: as many as drives, in the same order.

    Args:
        drives: drive folders.
        folders: `ground_truth` folders, or folders that hold them up to two levels below, taken in order of names.

    Raises:
        EvaluationError: a folder holds no ground truth, the numbers differ, or a drive's manifest says that it was
            recorded from another bag than the one beside its ground truth.
    """
    found = [truth for folder in folders for truth in find_ground_truth(folder)]
    if len(found) != len(drives):
        raise EvaluationError(
            f"{len(drives)} drives cannot be evaluated with {len(found)} ground truth folders: give --ground_truth_dir "
            f"one for each of {', '.join(drive.name for drive in drives)}, in this order"
        )
    for drive, truth in zip(drives, found, strict=True):
        _check_source(drive, truth)
    return dict(zip(drives, found, strict=True))


def find_ground_truth(folder: Path) -> list[Path]:
    """Ground-truth folders at or up to two levels below a folder, in order of their names; raises EvaluationError."""
    for level in ([folder], folder.glob("*"), folder.glob("*/*")):
        found = sorted(path for path in level if (path / simulated.DEPTH).is_dir())
        if found:
            return found
    raise EvaluationError(f"{folder} holds no ground truth: give the ground_truth folder that `depth simulate` wrote")


def _check_source(drive: Path, truth: Path) -> None:
    """Compare the sizes of the bag that was recorded with those of the bag beside the truth, where both are known."""
    manifest = _manifest_of(drive)
    if manifest is None:
        return
    names = {record.bag for record in manifest.drives if Path(record.folder).name == drive.name}
    candidates = [bag for bag in manifest.bags if bag.name in names and (truth.parent / bag.name).is_dir()]
    if candidates and not any(_may_be(truth.parent / bag.name, bag) for bag in candidates):
        raise EvaluationError(
            f"{drive} was not recorded from the bag beside {truth} (its files have other sizes): "
            "give the ground truth folders in the order of the drives"
        )


def _may_be(folder: Path, bag: BagRecord) -> bool:
    """Whether no file speaks against it: one may have been deleted, and metadata.yaml is rewritten by other tools."""
    files = [(folder / file.name, file.bytes) for file in bag.files if not file.name.endswith(".yaml")]
    return all(path.stat().st_size == size for path, size in files if path.is_file())


def _manifest_of(drive: Path) -> Manifest | None:
    path = drive.parent.parent / MANIFEST
    return read_manifest(path) if path.is_file() else None
