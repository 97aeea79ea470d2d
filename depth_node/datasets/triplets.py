# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Triplets of neighbouring frames from KITTI-style sequences."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from depth_node.camera.network_input import resize_image
from depth_node.datasets.frame_cache import FrameCache
from depth_node.datasets.sample import Sample
from depth_node.datasets.teacher_labels import TeacherLabels
from depth_node.errors import SequenceError
from depth_node.geometry.intrinsics import scale_intrinsics
from depth_node.kitti.driven import driven_distance
from depth_node.kitti.layout import TRAIN_SPLIT, VAL_SPLIT, FrameReference, KittiSequence, read_split
from depth_node.kitti.references import locate
from depth_node.kitti.search import find_sequences
from depth_node.kitti.split import split_stretch
from depth_node.kitti.stereo import has_partner, metres_per_unit, nominal_offset, partner

OFFSETS = (-1, 1)
"""The frames beside a target that explain it: one back, one forward (both papers)."""

logger = logging.getLogger(__name__)

CACHE_BYTES = 1 << 30
"""Resized frames kept per worker: neighbouring targets share their sources, and later epochs share all."""

VAL_SHARE = 0.1
"""Share of each drive that validates, where no split files say otherwise."""


class TripletDataset(Dataset[Sample]):
    """Every listed frame whose neighbours exist, resized for the network.

    Args:
        root: folder that the split's drive folders are relative to.
        references: the target frames.
        height: network input height, pixels.
        width: network input width, pixels.
        stereo: add the other camera's picture to the sources; frames without one are left out.
        distances: also say how far the vehicle drove, where its oxts files know.
        cache: where resized pictures are kept; `pictures` says which it should hold.
        strict: raise where any of the frames is not there, rather than leave it out and say so.
        labels: what a teacher said of the targets, to learn from, too.

    Attributes:
        targets: sequence and frame of each triplet.
        scale: metres per network unit by the stereo baseline; NaN without `stereo`.

    Raises:
        SequenceError: a drive is missing or malformed, or no frame has both neighbours (and a stereo partner).
    """

    def __init__(
        self,
        root: Path,
        references: Iterable[FrameReference],
        height: int,
        width: int,
        stereo: bool = False,
        distances: bool = False,
        cache: FrameCache | None = None,
        strict: bool = False,
        labels: TeacherLabels | None = None,
    ) -> None:
        self.height = height
        self.width = width
        self.cache = cache
        self.stereo = stereo
        self.distances = distances
        self.labels = labels
        self.targets = locate([root], references, OFFSETS, strict)
        if not self.targets:
            raise SequenceError(
                f"no frame under {root} has a picture before and after it: training needs at least 3 frames in a row"
            )
        if stereo:
            self.targets = [target for target in self.targets if has_partner(*target)]
            if not self.targets:
                raise SequenceError(f"no frame under {root} has a picture of both cameras: train without --stereo")
        self.scale = metres_per_unit({sequence for sequence, _ in self.targets}) if stereo else math.nan
        self._frame = lru_cache(maxsize=max(8, CACHE_BYTES // (height * width * 3)))(self._load)
        self._intrinsics = lru_cache(maxsize=None)(self._load_intrinsics)

    def __len__(self) -> int:
        """The number of triplets."""
        return len(self.targets)

    def __getitem__(self, index: int) -> Sample:
        """One triplet as bytes (see `Sample`)."""
        batch = self.__getitems__([index])
        return Sample(*(getattr(batch, field.name)[0] for field in fields(Sample)))

    def __getitems__(self, indices: Sequence[int]) -> Sample:
        """A batch of triplets, as a data loader asks for; every picture is copied once, to its place in the batch."""
        targets = [self.targets[index] for index in indices]
        sources = [self._frame(*picture) for target in targets for picture in self._sources(*target)]
        distances = [[self._distance(s, frame, frame + offset) for offset in OFFSETS] for s, frame in targets]
        baselines = [nominal_offset(sequence) if self.stereo else math.nan for sequence, _ in targets]
        return Sample(
            torch.stack([self._frame(*target) for target in targets]),
            torch.stack(sources).unflatten(0, (len(targets), -1)),
            torch.stack([self._intrinsics(sequence) for sequence, _ in targets]),
            torch.tensor(indices),
            torch.tensor(distances),
            torch.tensor(baselines),
            torch.zeros(len(targets), dtype=torch.bool),
            torch.stack([self._label(*target) for target in targets]),
        )

    def pictures(self) -> Iterator[tuple[KittiSequence, int]]:
        """Sequence and frame of every picture that a triplet holds; some come several times."""
        for target in self.targets:
            yield target
            yield from self._sources(*target)

    def _sources(self, sequence: KittiSequence, frame: int) -> Iterator[tuple[KittiSequence, int]]:
        yield from ((sequence, frame + offset) for offset in OFFSETS)
        if self.stereo:
            yield partner(sequence), frame

    def knows_distances(self) -> bool:
        """Whether the distance to a neighbour is known for any triplet."""
        return any(
            not math.isnan(self._distance(sequence, frame, frame + offset))
            for sequence, frame in self.targets
            for offset in OFFSETS
        )

    def _distance(self, sequence: KittiSequence, target: int, source: int) -> float:
        return driven_distance(sequence, target, source) if self.distances else math.nan

    def _label(self, sequence: KittiSequence, frame: int) -> Tensor:
        if self.labels is None:
            return torch.empty(1, 1, 0)
        return self.labels.read(sequence, frame, self.height, self.width)

    def _load(self, sequence: KittiSequence, frame: int) -> Tensor:
        kept = self.cache.frame(sequence, frame) if self.cache else None
        if kept is not None:
            return kept
        return resize_image(sequence.calibrated_image(frame), self.height, self.width).contiguous()

    def _load_intrinsics(self, sequence: KittiSequence) -> Tensor:
        K = torch.from_numpy(sequence.K).float()
        return scale_intrinsics(K, self.width / sequence.calibration.width, self.height / sequence.calibration.height)


def open_splits(
    root: Path,
    height: int,
    width: int,
    splits: Path | None = None,
    stereo: bool = False,
    distances: bool = False,
    cache: Path | None = None,
    strict: bool = False,
    labels: TeacherLabels | None = None,
) -> tuple[TripletDataset, TripletDataset | None]:
    """Training and validation triplets of a folder; see `split_references` and `TripletDataset`.

    Args:
        root: folder of drives.
        height: network input height, pixels.
        width: network input width, pixels.
        splits: see `split_references`.
        stereo: see `TripletDataset`.
        distances: see `TripletDataset`.
        cache: folder to keep resized pictures in (see `FrameCache`), filled now; without it they are decoded when they
            are needed.
        strict: see `TripletDataset`.
        labels: see `TripletDataset`.

    Returns:
        The two datasets; the second is None where there is nothing to validate on.

    Raises:
        SequenceError: the folder holds no drive, or the drives are too short.
    """
    train, val = split_references(root, splits)
    kept = FrameCache(cache, height, width) if cache else None
    first = TripletDataset(root, train, height, width, stereo, distances, kept, strict, labels)
    try:
        second = TripletDataset(root, val, height, width, stereo, distances, kept, strict, labels) if val else None
    except SequenceError as error:
        if strict:
            raise
        logger.warning("there is nothing to validate on: %s", error)
        second = None
    if kept:
        kept.fill(picture for part in (first, second) if part for picture in part.pictures())
    return first, second


def split_references(root: Path, splits: Path | None = None) -> tuple[list[FrameReference], list[FrameReference]]:
    """The frames of a folder that train and those that validate.

    The folder's own split files decide where there are any; else the last tenth of each drive validates.

    Args:
        root: folder of drives.
        splits: folder with other split files to take, as `depth resample` writes them.

    Raises:
        SequenceError: the folder holds no drive, or a split file cannot be read.
    """
    folder = splits or root / TRAIN_SPLIT.parent
    if splits is not None or (folder / TRAIN_SPLIT.name).exists():
        val = folder / VAL_SPLIT.name
        return read_split(folder / TRAIN_SPLIT.name), read_split(val) if val.exists() and val.stat().st_size else []
    parts: tuple[list[FrameReference], list[FrameReference]] = ([], [])
    for sequence in find_sequences(root):
        name = str(sequence.folder.relative_to(root)) if sequence.folder != root else "."
        for part, chosen in zip(parts, split_stretch(len(sequence), VAL_SHARE, 1), strict=True):
            part.extend(FrameReference(name, sequence.frames[i]) for i in chosen)
    return parts
