# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Random parts of pictures, enlarged to the whole: what a camera with a longer lens would have seen."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from depth_node.datasets.randomness import Draws, Purpose


@dataclass(frozen=True)
class Zoom:
    """One part of each picture of a batch.

    Attributes:
        factor: (B,) how much it is enlarged, at least 1.
        grid: (B, H, W, 2) where its pixels lie in the whole picture, as `grid_sample` takes it.
    """

    factor: Tensor
    grid: Tensor

    def of(self, pictures: Tensor) -> Tensor:
        """The parts of (B, C, H, W) pictures or maps, at their size."""
        return F.grid_sample(pictures, self.grid.to(pictures.dtype), padding_mode="border", align_corners=False)


def draw_zoom(draws: Draws, largest: float, height: int, width: int, device: torch.device) -> Zoom:
    """A part of each picture of a batch, enlarged by 1 to `largest`, evenly in the logarithm, anywhere in it."""
    drawn = draws.uniform(Purpose.ZOOM, 3)
    factor = torch.tensor(largest).log().mul(drawn[:, 0]).exp()
    room = 1 - 1 / factor
    theta = torch.zeros(len(factor), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = 1 / factor
    theta[:, 0, 2], theta[:, 1, 2] = room * (2 * drawn[:, 1] - 1), room * (2 * drawn[:, 2] - 1)
    grid = F.affine_grid(theta, [len(factor), 1, height, width], align_corners=False)
    return Zoom(factor.to(device), grid.to(device))
