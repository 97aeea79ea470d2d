# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures with a label picture each: how the two find each other, and how they are read.

A label picture has one channel of 8 bits (grey or palette, PNG as a rule) and the size of its picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from depth_node.errors import SequenceError
from depth_node.kitti.layout import KittiSequence

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
LABEL_MODES = ("L", "P")
"""Pillow's names for 8-bit grey and palette pictures."""


@dataclass(frozen=True)
class LabelledPicture:
    """A picture and its label picture."""

    image: Path
    labels: Path


Stretch = list[LabelledPicture]
"""The labelled pictures of one folder or drive, in order."""


def pair_folders(images: Path, labels: Path, image_ending: str = "", label_ending: str = "") -> list[Stretch]:
    """Pair the pictures below one folder with the label pictures of the same name below another.

    Args:
        images: folder of PNG or JPEG pictures, with subfolders or without.
        labels: folder of label pictures, with the same subfolders.
        image_ending: what names of pictures end with and labels do not, such as '_leftImg8bit.png'; empty: the suffix.
        label_ending: what names of label pictures end with instead; empty: the suffix.

    Returns:
        One stretch per subfolder; pictures without labels are left out.

    Raises:
        SequenceError: a folder is missing, or no picture has labels.
    """
    pictures, labelled = (_by_key(images, image_ending, "pictures"), _by_key(labels, label_ending, "label pictures"))
    stretches: dict[Path, Stretch] = {}
    for key, image in pictures.items():
        if key in labelled:
            stretches.setdefault(key.parent, []).append(LabelledPicture(image, labelled[key]))
    if not stretches:
        raise SequenceError(
            f"none of the {len(pictures)} pictures in {images} has a label picture of the same name in {labels}: "
            f"{_example(pictures)} needs {_example(pictures, stem=True)}.png, found {_example(labelled)} and others"
        )
    return list(stretches.values())


def _by_key(folder: Path, ending: str, what: str) -> dict[Path, Path]:
    """Files below a folder by their relative path without ending."""
    if not folder.is_dir():
        raise SequenceError(f"there is no folder {folder} of {what}")
    found = {}
    for path in sorted(folder.rglob("*" + ending)):
        if path.suffix.lower() in PICTURE_SUFFIXES and path.name[0] != ".":
            name = path.name.removesuffix(ending) if ending else path.stem
            found[path.parent.relative_to(folder) / name] = path
    if not found:
        raise SequenceError(f"{folder} holds no {what} ({ending or ', '.join(PICTURE_SUFFIXES)})")
    return found


def _example(files: Mapping[Path, Path], stem: bool = False) -> str:
    path = next(iter(files.values()))
    return path.stem if stem else path.name


def pair_drive(sequence: KittiSequence) -> Stretch:
    """The labelled pictures of a drive with `semantic/image_02`; raises SequenceError where it has none."""
    pairs = [LabelledPicture(sequence.image_path(frame), sequence.label_path(frame)) for frame in sequence.frames]
    stretch = [pair for pair in pairs if pair.labels.is_file()]
    if not stretch:
        raise SequenceError(
            f"{sequence.folder} has no label pictures: expected {sequence.label_path(sequence.frames[0])} and so on; "
            "for a simulated drive add --ground_truth_dir"
        )
    return stretch


def check_sizes(stretches: Sequence[Stretch]) -> None:
    """Compare every label picture with its picture, by their headers alone; raises SequenceError."""
    for pair in (pair for stretch in stretches for pair in stretch):
        with _opened(pair.image) as image, _opened(pair.labels) as labels:
            _check_mode(labels, pair.labels)
            if image.size != labels.size:
                sizes = ["x".join(map(str, picture.size)) for picture in (image, labels)]
                raise SequenceError(f"{pair.labels} is {sizes[1]} but its picture {pair.image} is {sizes[0]} pixels")


def read_label_picture(path: Path) -> NDArray[np.uint8]:
    """Values (H, W) uint8 of a label picture, as stored; raises SequenceError."""
    with _opened(path) as labels:
        _check_mode(labels, path)
        try:
            return np.array(labels, np.uint8)
        except (OSError, SyntaxError) as error:
            raise SequenceError(f"{path} is damaged: {error}") from None


def _opened(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except UnidentifiedImageError:
        raise SequenceError(f"{path} is no readable picture: delete it or copy it again") from None
    except OSError as error:
        raise SequenceError(f"cannot read picture {path}: {error.strerror or error}") from None


def _check_mode(labels: Image.Image, path: Path) -> None:
    if labels.mode not in LABEL_MODES:
        raise SequenceError(
            f"{path} has mode {labels.mode}, but a label picture has one channel of 8 bits with a class number per "
            "pixel: convert colours to numbers first"
        )


def samples_of(stretches: Sequence[Stretch], most: int) -> Iterator[LabelledPicture]:
    """At most `most` pairs, evenly over all stretches."""
    pairs = [pair for stretch in stretches for pair in stretch]
    count = min(most, len(pairs))
    yield from (pairs[index * len(pairs) // count] for index in range(count))
