# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled pictures as training records: resized, with class numbers of one class map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from depth_node.camera.network_input import resize_image
from depth_node.datasets.labelled_pairs import LabelledPicture, Stretch, read_label_picture
from depth_node.kitti.layout import read_image
from depth_node.kitti.split import split_stretch

CACHE_BYTES = 1 << 30
"""Resized pictures kept per worker: later epochs need not decode them again."""


@dataclass(frozen=True)
class LabelledSample:
    """One labelled picture, or a batch of them with a leading B.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        labels: (H, W) uint8 class numbers, UNLABELLED where unknown.
    """

    image: Tensor
    labels: Tensor

    def to(self, *args: Any, **kwargs: Any) -> LabelledSample:
        """Move both tensors, as `Tensor.to`."""
        return LabelledSample(self.image.to(*args, **kwargs), self.labels.to(*args, **kwargs))

    def pin_memory(self) -> LabelledSample:
        """Page-lock both tensors, for the data loader."""
        return LabelledSample(self.image.pin_memory(), self.labels.pin_memory())


class LabelledDataset(Dataset[LabelledSample]):
    """Labelled pictures at one size."""

    def __init__(self, pairs: Sequence[LabelledPicture], height: int, width: int, table: Sequence[int]) -> None:
        """Prepare to read.

        Args:
            pairs: what to read.
            height: of the records, pixels.
            width: of the records, pixels.
            table: class number of each of the 256 values of a label picture.
        """
        self.pairs = tuple(pairs)
        self.height, self.width = height, width
        self._table = np.array(table, np.uint8)
        self._read = lru_cache(maxsize=max(8, CACHE_BYTES // (height * width * 4)))(self._load)

    def __len__(self) -> int:
        """The number of labelled pictures."""
        return len(self.pairs)

    def __getitem__(self, index: int) -> LabelledSample:
        """One record; raises SequenceError where a file cannot be read."""
        return self._read(index)

    def _load(self, index: int) -> LabelledSample:
        pair = self.pairs[index]
        labels = self._table[read_label_picture(pair.labels)]
        size = (self.width, self.height)
        small = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST_EXACT)
        image = resize_image(read_image(pair.image), self.height, self.width)
        return LabelledSample(image.contiguous(), torch.from_numpy(np.asarray(small, np.uint8)))


def collate(samples: Sequence[LabelledSample]) -> LabelledSample:
    """Stack records into a batch."""
    return LabelledSample(*(torch.stack([getattr(s, field.name) for s in samples]) for field in fields(LabelledSample)))


def split_stretches(
    stretches: Sequence[Stretch], val_fraction: float
) -> tuple[list[LabelledPicture], list[LabelledPicture]]:
    """Training and validation pictures: the end of each stretch validates, where it is long enough."""
    train: list[LabelledPicture] = []
    val: list[LabelledPicture] = []
    for stretch in stretches:
        for part, chosen in zip((train, val), split_stretch(len(stretch), val_fraction, 0), strict=True):
            part.extend(stretch[index] for index in chosen)
    return train, val
