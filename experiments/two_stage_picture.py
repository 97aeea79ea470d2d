# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Draws what both stages say of a car ahead.

python experiments/two_stage_picture.py OUTPUT.png STAGE1.safetensors STAGE2.safetensors TEST_FOLDER SEED...

TEST_FOLDER/SEED is a simulated drive, TEST_FOLDER/rec_SEED its recording, as experiments/two_stage.sh makes them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from depth_node.bags.contact_sheet import tile
from depth_node.camera.network_input import resize_image
from depth_node.config.classes import CITYSCAPES
from depth_node.config.resampling import ResamplingConfig
from depth_node.drawing.colorize import colorize_depth
from depth_node.evaluation.ground_truth import SimulatedDepth
from depth_node.evaluation.label_sources import SimulatedLabels
from depth_node.evaluation.protocol import resize_depth
from depth_node.evaluation.simulated_truth import SimulatedFrames
from depth_node.kitti.layout import KittiSequence
from depth_node.resampling.predictor import DepthPredictor

FRAME, NEAR, FAR = 15, 4.0, 60.0
Panels = list[tuple[str, NDArray[np.uint8]]]


def lead_car(truth: NDArray[np.float32], labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels of the car in the middle of the picture."""
    cars = labels == CITYSCAPES.names.index("car")
    middle = slice(truth.shape[1] // 2 - 10, truth.shape[1] // 2 + 10)
    gap = np.nanmedian(np.where(cars, truth, np.nan)[:, middle])
    parts = cv2.connectedComponents((cars & (np.abs(truth - gap) < 1.0)).astype(np.uint8))[1]
    return np.asarray(parts == np.bincount(parts[:, middle][parts[:, middle] > 0]).argmax())


def panels(folder: Path, seed: str, predictors: list[DepthPredictor]) -> Panels:
    """Camera, exact depth, and the depth of each stage, for one frame."""
    sequence = KittiSequence(next((folder / f"rec_{seed}").glob("*/*_sync")))
    source = SimulatedFrames(sequence, folder / seed / "ground_truth")
    truth, labels = SimulatedDepth(source).read(FRAME), SimulatedLabels(source).read(FRAME)
    car, image = lead_car(truth, labels), sequence.image(FRAME)
    shown: Panels = [
        (f"street {seed}", image),
        (f"exact: car at {np.median(truth[car]):.1f} m", colorize_depth(truth, NEAR, FAR)),
    ]
    known = np.isfinite(truth) & (truth > 0) & (truth < FAR) & ~car
    for stage, predictor in enumerate(predictors, start=1):
        depth = predictor(resize_image(image, predictor.height, predictor.width)[None])[0][0, 0].cpu().numpy()
        depth = resize_depth(depth, *truth.shape)
        depth = depth * np.float32(np.median(truth[known]) / np.median(depth[known]))
        shown.append((f"stage {stage}: car at {np.median(depth[car]):.1f} m", colorize_depth(depth, NEAR, FAR)))
    return shown


def main() -> None:
    """Write the picture."""
    output, *checkpoints, folder = (Path(name) for name in sys.argv[1:5])
    predictors = [DepthPredictor(checkpoint, ResamplingConfig(candidates="geometric")) for checkpoint in checkpoints]
    rows = [panel for seed in sys.argv[5:] for panel in panels(folder, seed, predictors)]
    cv2.imwrite(str(output), tile(rows)[..., ::-1])


if __name__ == "__main__":
    main()
