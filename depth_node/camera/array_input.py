# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a picture to a network's input without PyTorch: what `camera.network_input` gives, but for one level of 255.

PyTorch's antialiased resizing of bytes is Pillow's algorithm with coefficients of fewer bits, so that some bytes round
the other way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from depth_node.camera.network_view import check_picture


def resize_array(image: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize with antialiasing, see `camera.network_input.resize_image`.

    Args:
        image: (H, W, 3) uint8.
        height: wanted height, pixels.
        width: wanted width, pixels.

    Returns:
        (height, width, 3) uint8.

    Raises:
        EncodingError: the image is not H x W x 3 bytes.
    """
    check_picture(image)
    if image.shape[:2] == (height, width):
        return image
    resized = Image.fromarray(np.ascontiguousarray(image)).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized)


def to_network_array(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Bytes to floats: (H, W, 3) uint8 to a batch (1, 3, H, W) float32 in 0..1."""
    return np.ascontiguousarray(np.moveaxis(image, -1, 0)[None], np.float32) / np.float32(255.0)
