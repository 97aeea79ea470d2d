# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The one way from a picture to a network's input, used by training and live alike."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.camera.network_view import check_picture


def resize_image(image: Tensor | np.ndarray, height: int, width: int) -> Tensor:
    """Resize with antialiasing, on whatever device the image is.

    Args:
        image: (H, W, 3) uint8.
        height: wanted height, pixels.
        width: wanted width, pixels.

    Returns:
        (height, width, 3) uint8 on the same device.

    Raises:
        EncodingError: the image is not H x W x 3 bytes.
    """
    check_picture(image)
    tensor = torch.from_numpy(np.require(image, requirements="W")) if isinstance(image, np.ndarray) else image
    if tensor.shape[:2] == (height, width):
        return tensor
    planes = tensor.permute(2, 0, 1)[None]
    if tensor.device.type != "cpu":  # uint8 interpolation exists on the CPU only
        planes = planes.float()
    resized = F.interpolate(planes, (height, width), mode="bilinear", align_corners=False, antialias=True)
    if resized.dtype != torch.uint8:
        resized = resized.round().clamp(0, 255).to(torch.uint8)
    return resized[0].permute(1, 2, 0)


def to_network_input(image: Tensor) -> Tensor:
    """Bytes to floats: (..., H, W, 3) uint8 to (..., 3, H, W) float32 in 0..1."""
    return image.movedim(-1, -3).to(torch.float32) / 255.0
