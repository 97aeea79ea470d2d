# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Validation images with what was made of them, as a run shows them."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from depth_node.image_file import write_image
from depth_node.training.run.report import FIRST_PICTURE, LATEST_PICTURE

COUNT = 4
"""Images that are shown."""


def show_validation(
    images: Tensor, disparity: Tensor, warped: Tensor, taught: Tensor, folder: Path, board: SummaryWriter, step: int
) -> None:
    """Show what a validation saw in TensorBoard, and that of the first and the latest one in the run folder.

    The latter are `first.png` and `latest.png`: a row for each image, beside it its disparity, the image as its
    neighbours explain it, and the pixels that teach.

    Args:
        images: (B, 3, H, W) in 0..1.
        disparity: (B, 1, H, W).
        warped: (B, 3, H, W) in 0..1.
        taught: (B, 1, H, W) bool.
        folder: the run folder.
        board: TensorBoard.
        step: of the run.
    """
    columns = {
        "image": images,
        "disparity": magma(disparity),
        "warped": warped.clamp(0, 1),
        "taught": taught.expand_as(images),
    }
    shown = [column.cpu().float() for column in columns.values()]
    board.add_images("val/" + "_".join(columns), torch.cat(shown, dim=2), step)
    rows = torch.cat(shown, dim=3).permute(0, 2, 3, 1).flatten(0, 1)
    picture = (255 * rows).round().to(torch.uint8).numpy()
    first = folder / FIRST_PICTURE
    for path in [folder / LATEST_PICTURE, *([] if first.exists() else [first])]:
        write_image(path, picture)


def magma(disparity: Tensor) -> Tensor:
    """Colour (B, 1, H, W) disparities: (B, 3, H, W) in 0..1, each picture stretched to its own nearest surfaces."""
    top = torch.quantile(disparity.flatten(1), 0.95, dim=1).reshape(-1, 1, 1)
    colours = matplotlib.colormaps["magma"]((disparity[:, 0] / top).clamp(0, 1).cpu().numpy())
    return torch.from_numpy(colours[..., :3]).permute(0, 3, 1, 2)
