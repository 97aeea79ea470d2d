# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files of resized pictures: raw bytes of equal size, one after the other, to be mapped into memory.

The name of a shard is a hash of everything that its bytes depend on: where the pictures lie, their sizes and times of
change, how and to what size they are resized, by which versions. A shard therefore never goes stale; it is simply no
longer asked for. Whoever writes it writes the same bytes, and it appears under its name only when it is whole.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
from torch import Tensor

from depth_node.atomic_file import replacing
from depth_node.camera.network_input import resize_image
from depth_node.errors import SequenceError
from depth_node.kitti.layout import KittiSequence

SHARD_BYTES = 64 << 20
"""Largest size of a shard: small enough to share out the work of writing, large enough that files stay few."""

METHOD = f"shards 1, bilinear with antialiasing, torch {torch.__version__}, opencv {cv2.__version__}"
SUFFIX = ".rgb"


@dataclass(frozen=True)
class Shard:
    """One file of pictures, written or not.

    Attributes:
        path: where it is or shall be.
        sequence: the camera of the drive that the pictures come from.
        frames: their frame numbers, in the order of the file.
        height: height of the resized pictures, pixels.
        width: width of the resized pictures, pixels.
    """

    path: Path
    sequence: KittiSequence
    frames: tuple[int, ...]
    height: int
    width: int

    @property
    def size(self) -> int:
        """Bytes of the whole file."""
        return len(self.frames) * self.height * self.width * 3

    def exists(self) -> bool:
        """Whether the whole file is there."""
        try:
            return self.path.stat().st_size == self.size
        except OSError:
            return False

    def write(self, progress: Callable[[], object]) -> None:
        """Resize all pictures into the file, which appears whole or not at all.

        Args:
            progress: called after each picture.

        Raises:
            OutputError: the file cannot be written.
            SequenceError: a picture cannot be read.
        """
        with replacing(self.path) as temporary, temporary.open("wb") as file:
            for frame in self.frames:
                picture = resize_image(self.sequence.calibrated_image(frame), self.height, self.width)
                file.write(picture.contiguous().numpy().data)
                progress()
            file.flush()
            os.fsync(file.fileno())

    def open(self) -> Tensor:
        """All pictures (N, height, width, 3) uint8, mapped into memory and so shared between processes.

        Raises:
            OSError, RuntimeError: the file is gone.
        """
        pixels = torch.from_file(str(self.path), shared=False, size=self.size, dtype=torch.uint8)
        return pixels.reshape(len(self.frames), self.height, self.width, 3)


def shards_of(folder: Path, sequence: KittiSequence, wanted: Iterable[int], height: int, width: int) -> Iterator[Shard]:
    """The shards that hold the wanted frames of a sequence, and the frames beside them.

    Args:
        folder: where shards are kept.
        sequence: one camera of a drive.
        wanted: frame numbers.
        height: height of the resized pictures, pixels.
        width: width of the resized pictures, pixels.

    Raises:
        SequenceError: the sequence has no pictures, or one has gone.
    """
    # Cut at fixed places, so that other splits of the same drive ask for the same shards.
    length = max(SHARD_BYTES // (height * width * 3), 1)
    wanted = set(wanted)
    for first in range(0, len(sequence), length):
        frames = sequence.frames[first : first + length]
        if not wanted.isdisjoint(frames):
            name = f"{_fingerprint(sequence, frames, height, width)}{SUFFIX}"
            yield Shard(folder / f"{width}x{height}" / name, sequence, frames, height, width)


def _fingerprint(sequence: KittiSequence, frames: tuple[int, ...], height: int, width: int) -> str:
    found = hashlib.sha256(f"{METHOD}, {width}x{height}".encode())
    for frame in frames:
        path = sequence.image_path(frame)
        try:
            about = path.stat()
        except OSError as error:
            raise SequenceError(f"cannot read picture {path}: {error.strerror}") from None
        found.update(f"\n{path.resolve()} {about.st_size} {about.st_mtime_ns}".encode())
    return found.hexdigest()[:32]
