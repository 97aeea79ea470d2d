# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What a teacher is: pictures in, depth out, and whose work it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.checkpoints.container import file_hash
from depth_node.checkpoints.depth_info import is_restricted
from depth_node.errors import TeacherError

DIGITS = 12
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Origin:
    """Whose answers they are.

    Attributes:
        name: as it was asked for, such as hf:depth-anything/Depth-Anything-V2-Small-hf.
        revision: which version of it: a commit, or the start of a file's sha256.
        licence: of its weights; empty where nothing says.
    """

    name: str
    revision: str
    licence: str

    def check(self, accepted: bool) -> None:
        """Raise TeacherError where the licence forbids commercial use or is unknown, and nobody has `accepted` that."""
        if accepted:
            return
        if not self.licence:
            raise TeacherError(
                f"nothing says what the licence of {self.name} is: read up on it, then add --teacher.accept_license"
            )
        if is_restricted(self.licence):
            raise TeacherError(
                f"the licence of {self.name} is {self.licence}, and what learns from it may fall under it: add "
                "--teacher.accept_license if that is all right"
            )


def revision_of(path: Path) -> str:
    """Which version of itself a file is: the start of its sha256; raises OSError."""
    return file_hash(path)[:DIGITS]


class Teacher(Protocol):
    """A depth network of whatever kind.

    Attributes:
        origin: whose it is.
        gives: 'depth' in metres, or 'inverse_depth' up to an unknown positive factor and an offset.
    """

    origin: Origin
    gives: str

    def __call__(self, image: NDArray[np.uint8], K: NDArray[np.float64]) -> NDArray[np.float32]:
        """What it sees in an (H, W, 3) uint8 RGB picture of a camera with (3, 3) intrinsics K, pixels.

        Returns:
            (h, w) of any size but the whole picture; NaN where nothing is known, inf in the sky (of depth).
        """


def network_input(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.float32]:
    """(1, 3, height, width) of an (H, W, 3) uint8 picture, with the mean and spread that ImageNet's networks take."""
    smaller = width < image.shape[1]
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    scaled = (resized.astype(np.float32) / 255.0 - IMAGENET_MEAN) / IMAGENET_STD
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[None], np.float32)


def told_for(depth: NDArray[np.float32], fx: float, seen: int, across: int, focal: float) -> NDArray[np.float32]:
    """Metres of the camera at hand, of metres that are told for a focal length.

    Args:
        depth: any shape, m.
        fx: the camera's focal length, pixels of its pictures.
        seen: width of what the teacher saw, pixels.
        across: width of the camera's pictures, pixels.
        focal: the one that its metres are told for, pixels of what it saw; 0 for any.
    """
    return depth if focal == 0 else depth * np.float32(fx * seen / across / focal)
