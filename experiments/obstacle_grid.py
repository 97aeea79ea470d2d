# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Obstacle cells from a network's depth against those from exact depth, by the documented rules of Nav2's layers.

python experiments/obstacle_grid.py [--checkpoint default real] [--seeds 201 202 203] [--frames 6]

Finite points within the obstacle range and between the heights mark their cell; the cells on the ray to every finite
point within the raytrace range are cleared first. Each picture of a simulated street fills one empty grid by exact
depth and one by the network's, as published and with the median ratio of the picture taken out. Precision: share of the
network's cells that are occupied; recall: share of the occupied cells that the network marks; each at the very cell,
and within two cells. Nothing of the package takes part but network and cloud.
"""

from __future__ import annotations

import argparse
import os
from collections import Counter

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

CELL, SIDE, AHEAD = 0.25, 8.0, 24.0
"""Metres: size of a cell, and of the grid to each side and ahead."""
LOW, HIGH = 0.3, 2.0
"""Heights between which a point is an obstacle, m."""
BEYOND = (1.25, 1.5, 1.625)
"""Longest range of points, that of points that clear, and raytrace range, each in obstacle ranges (docs/nav2.md)."""
NEAR = 2
"""Cells by which an obstacle may be displaced, in the second pair of columns."""


class Grid:
    """Cells ahead of a robot, x ahead and y to the left, metres.

    Attributes:
        marked: (rows ahead, columns from right to left) bool.
    """

    def __init__(self, reach: float = 8.0, raytrace: float = 13.0) -> None:
        """An empty grid that marks up to `reach` and clears up to `raytrace`, metres."""
        self.reach, self.raytrace = reach, raytrace
        self.marked = np.zeros((int(AHEAD / CELL), int(2 * SIDE / CELL)), bool)

    def cells(
        self, x: NDArray[np.floating], y: NDArray[np.floating]
    ) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """Rows and columns of (N,) places, m, those outside left out."""
        row, column = np.floor(x / CELL).astype(int), np.floor((y + SIDE) / CELL).astype(int)
        inside = (row >= 0) & (row < self.marked.shape[0]) & (column >= 0) & (column < self.marked.shape[1])
        return row[inside], column[inside]

    def update(self, points: NDArray[np.floating], origin: NDArray[np.floating]) -> None:
        """Clear along the rays to finite points, then mark.

        Args:
            points: (N, 3) in the robot's frame, m.
            origin: (3,) of the camera in it, m.
        """
        points = points[np.isfinite(points).all(1)]
        away = np.linalg.norm(points - origin, axis=1)
        for share in np.arange(0, 1.0, CELL / self.raytrace / 2):
            part = origin + share * (points - origin) * np.minimum(1.0, self.raytrace / away)[:, None]
            # A layer of flat cells clears what the ray passes between the heights.
            part = part[(part[:, 2] > LOW) & (part[:, 2] < HIGH)]
            self.marked[self.cells(part[:, 0], part[:, 1])] = False
        seen = points[(away < self.reach) & (points[:, 2] > LOW) & (points[:, 2] < HIGH)]
        self.marked[self.cells(seen[:, 0], seen[:, 1])] = True


def agreement(found: NDArray[np.bool_], wanted: NDArray[np.bool_]) -> Counter[str]:
    """Cells found and wanted, and how many of them are right, at the cell and `NEAR` by."""
    kernel = np.ones((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)
    about = [cv2.dilate(cells.astype(np.uint8), kernel).astype(bool) for cells in (found, wanted)]
    counts = {"found": found, "wanted": wanted, "both": found & wanted}
    counts |= {"found near": found & about[1], "wanted near": wanted & about[0]}
    return Counter({name: int(cells.sum()) for name, cells in counts.items()})


def compare(
    checkpoint: str, seeds: list[int], frames: int, reaches: list[float]
) -> dict[tuple[str, float], Counter[str]]:
    """Counts of cells over all streets, by kind of metres and obstacle range."""
    from depth_node.checkpoints.by_name import located
    from depth_node.config.street import StreetConfig
    from depth_node.inference.estimator import DepthEstimator
    from depth_node.inference.tensor_prediction import CloudPacker
    from depth_node.simulation import rig
    from depth_node.simulation.drive import Simulator

    estimator = DepthEstimator.from_checkpoint(located(checkpoint))
    totals: dict[tuple[str, float], Counter[str]] = {}
    for seed in seeds:
        street = StreetConfig(seed=seed, frames=30, lidar=False, workers=1, lead_gap=9.0)
        K, T = rig.intrinsics(street), rig.base_from_camera(street)
        simulator, packer = Simulator(street), CloudPacker(street.height, street.width, K)
        for index in range(0, 30, 30 // frames):
            picture = simulator.frame(index).picture
            exact = torch.from_numpy(picture.depth.copy())
            predicted = estimator.estimate(picture.rgb, K, full_resolution=True).depth
            known = torch.isfinite(exact) & torch.isfinite(predicted) & (exact < 60)
            ratio = float((exact[known] / predicted[known]).median())
            for reach in reaches:
                grids = {}
                for kind, depth in (("exact", exact), ("as published", predicted), ("scaled", predicted * ratio)):
                    ranges = [reach * share for share in BEYOND]
                    cloud = packer.pack(
                        depth, torch.from_numpy(picture.rgb.copy()), max_range=ranges[0], clear_range=ranges[1]
                    )
                    xyz = np.stack([cloud[axis] for axis in "xyz"], -1).reshape(-1, 3).astype(np.float64)
                    grids[kind] = Grid(reach, ranges[2])
                    grids[kind].update(xyz @ T[:3, :3].T + T[:3, 3], T[:3, 3])
                for kind in ("as published", "scaled"):
                    counts = agreement(grids[kind].marked, grids["exact"].marked)
                    totals[kind, reach] = totals.get((kind, reach), Counter()) + counts
    return totals


def main() -> None:
    """Compare and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", nargs="+", default=["default"], help="paths or names")
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202, 203], help="of the streets")
    parser.add_argument("--frames", type=int, default=6, help="pictures of each street, over 30 of them")
    parser.add_argument("--reach", type=float, nargs="+", default=[8.0, 20.0], help="obstacle ranges, m")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes ran in the last minute\n")
    near = f"within {NEAR * CELL:g} m"
    print(f"| checkpoint | metres | up to | occupied cells | precision | recall | precision {near} | recall {near} |")
    print("|---|---|---|---|---|---|---|---|")
    for checkpoint in args.checkpoint:
        for (kind, reach), n in compare(checkpoint, args.seeds, args.frames, args.reach).items():
            of_found, of_wanted = max(n["found"], 1), max(n["wanted"], 1)
            shares = [n["both"] / of_found, n["both"] / of_wanted, n["found near"] / of_found]
            shares.append(n["wanted near"] / of_wanted)
            row = (checkpoint, kind, f"{reach:g} m", str(n["wanted"]), *(f"{share:.2f}" for share in shares))
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
