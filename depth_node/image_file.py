# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Images as files: RGB outside, OpenCV's order inside, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.atomic_file import replacing
from depth_node.errors import OutputError


def encode_image(image: NDArray[Any], suffix: str = ".png", options: Sequence[int] = ()) -> bytes:
    """The bytes of an image file.

    Args:
        image: (H, W, 3) uint8 RGB, or (H, W) of any type that the kind of file takes.
        suffix: of the kind of file.
        options: OpenCV's, in pairs.

    Raises:
        OutputError: OpenCV cannot write this kind of file.
    """
    pixels = np.ascontiguousarray(image[..., ::-1] if image.ndim == 3 else image)
    try:
        good, data = cv2.imencode(suffix, pixels, list(options))
    except cv2.error:
        good = False
    if not good:
        raise OutputError(f"cannot encode an image as '{suffix}': this OpenCV cannot write that kind of file")
    return bytes(data)


def write_image(path: Path, image: NDArray[Any], options: Sequence[int] = ()) -> None:
    """Write an image, see `encode_image`, as the kind of file its name says; raises OutputError."""
    data = encode_image(image, path.suffix, options)
    with replacing(path) as temporary:
        temporary.write_bytes(data)
