# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Some frames of a recording, with what the lidar measured on them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.bags.contact_sheet import Picture, tile
from depth_node.kitti.formats import read_depth
from depth_node.kitti.layout import KittiSequence
from depth_node.recording.manifest import Manifest

SAMPLES = 12
NEAREST = 3.0
"""Metres that get the warmest colour."""
SPOT = np.ones((3, 3), np.uint8)
"""A lidar point is drawn this large: single pixels vanish when the picture is shown smaller."""


def draw_samples(manifest: Manifest, folder: Path) -> Picture | None:
    """Frames evenly over all drives, captioned, every other one with its lidar depth; None without frames."""
    frames = [(drive, frame) for drive in manifest.drives for frame in drive.frames]
    if not frames:
        return None
    chosen = np.unique(np.linspace(0, len(frames) - 1, SAMPLES).round().astype(int))
    pictures = []
    for position, number in enumerate(chosen):
        drive, frame = frames[number]
        sequence = KittiSequence(folder / drive.folder)
        picture, caption = sequence.image(frame.index), f"{drive.folder[-9:-5]} frame {frame.index}"
        depth = sequence.depth_path(frame.index)
        if position % 2 and depth.is_file():
            picture, caption = _overlay(picture, read_depth(depth)), f"{caption}, lidar depth"
        pictures.append((caption, picture))
    return tile(pictures)


def _overlay(picture: Picture, depth: NDArray[np.float32]) -> Picture:
    """Measured pixels coloured by inverse depth, red near and blue far, over the darkened picture."""
    inverse = np.nan_to_num(NEAREST / depth, nan=0.0).clip(0, 1).astype(np.float32)
    spread = np.asarray(cv2.dilate(inverse, SPOT), np.float32)
    colours = cv2.cvtColor(
        cv2.applyColorMap((255 * spread**0.5).astype(np.uint8), cv2.COLORMAP_TURBO), cv2.COLOR_BGR2RGB
    )
    return np.where(spread[..., None] > 0, colours, picture // 2).astype(np.uint8)
