# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of dropped frames: what the camera saw, its depth, and the pixels below ground."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from depth_node.bags.contact_sheet import Picture, text_line
from depth_node.drawing.colorize import colorize_depth
from depth_node.geometry.ground_plane import GroundPlanes
from depth_node.resampling.below_ground import pixels_below
from depth_node.resampling.frame_dataset import FramePictures
from depth_node.resampling.predictor import DepthPredictor
from depth_node.resampling.verdict import FrameVerdict, ResampleReport

RED = np.array([230, 20, 20], np.uint8)
WIDTH, MARGIN = 1440, 10
"""Pixels."""


def draw_worst(report: ResampleReport, checkpoint: Path, root: Path) -> Picture | None:
    """The dropped frames with most pixels below ground: (H, 1440, 3) uint8 RGB; None where none was dropped.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        SequenceError: a frame cannot be read.
    """
    places = report.worst
    if not places:
        return None
    config = replace(report.config, candidates="geometric")  # planes are known: no ground is searched
    predictor = DepthPredictor(checkpoint, config)
    frames = FramePictures(root, [report.references[place] for place in places], *report.size, config)
    rows = []
    for number, place in enumerate(places):
        verdict, batch = report.verdicts[place], frames[number]
        depth = predictor(batch.image[None])[0][:, 0].cpu()
        below = pixels_below(depth, batch.K[None], plane_of(verdict), config)[0].numpy()
        rows.append(text_line(f"{verdict.frame}: {verdict.below} pixels below ground"))
        rows.append(three_panels(batch.image.numpy(), depth[0].numpy(), below))
    return np.vstack(rows)


def plane_of(verdict: FrameVerdict) -> GroundPlanes:
    """The plane of a verdict, as a batch of one."""
    return GroundPlanes(
        torch.tensor([verdict.normal], dtype=torch.float64),
        torch.tensor([verdict.distance], dtype=torch.float64),
        torch.tensor([verdict.inliers], dtype=torch.float64),
    )


def three_panels(image: Picture, depth: NDArray[np.float32], below: NDArray[np.bool_]) -> Picture:
    """Picture, depth in colours and the picture with red pixels below ground, side by side.

    Args:
        image: (H, W, 3) uint8 RGB.
        depth: (H, W) in any unit.
        below: (H, W), pixels below ground.
    """
    marked = np.where(below[..., None], RED, image // 2 + 64).astype(np.uint8)
    width = (WIDTH - 4 * MARGIN) // 3
    height = round(width * image.shape[0] / image.shape[1])
    canvas = np.full((height + MARGIN, WIDTH, 3), 255, np.uint8)
    for number, panel in enumerate((image, colorize_depth(depth), marked)):
        left = MARGIN + number * (width + MARGIN)
        enlarged = cv2.resize(panel, (width, height), interpolation=cv2.INTER_NEAREST)
        canvas[:height, left : left + width] = enlarged
    return canvas
