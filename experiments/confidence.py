# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How well confidence tells good depth from bad: sparsification on drives with measured or exact depth.

python experiments/confidence.py --sequence DRIVE [--ground_truth_dir FOLDER] [--checkpoint FILE]

Pixels are taken away, the least sure first; the mean error of the rest should fall as fast as if the worst were taken
away first. The area between the two curves (AUSE), divided by that of pixels taken away at random: 0 is perfect, 1 is
no better than chance. Errors are relative, after median scaling, in the Garg crop, up to 80 m.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from depth_node.camera.network_input import resize_image, to_network_input
from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.shipped import DEFAULT
from depth_node.config.evaluation import EvaluationConfig
from depth_node.evaluation.evaluate import select_frames
from depth_node.evaluation.protocol import compare
from depth_node.inference.confidence import uncertainty
from depth_node.inference.estimator import DepthEstimator

STEPS = 20


def sparsification(errors: NDArray[np.floating], doubt: NDArray[np.floating]) -> float:
    """AUSE of (N,) errors with (N,) doubts over that of chance."""
    by_doubt, by_error = errors[np.argsort(-doubt)], np.sort(errors)[::-1]
    starts = [len(errors) * step // STEPS for step in range(STEPS)]
    ours, best = (np.array([ordered[start:].mean() for start in starts]) for ordered in (by_doubt, by_error))
    return float((ours - best).mean() / (errors.mean() - best.mean()))


@torch.inference_mode()
def doubts(
    estimator: DepthEstimator, image: NDArray[np.uint8], K: NDArray[np.float64]
) -> dict[str, NDArray[np.float32]]:
    """Full-size maps of doubt: ours, of the unweighted agreement, of the mirror image, and of depth alone."""
    size = image.shape[:2]
    view = estimator.view((size[0], size[1]), K)
    batch = to_network_input(view.of(torch.from_numpy(np.ascontiguousarray(image)), resize_image))[None]
    model, config = estimator.model, estimator.info.network
    disparities = model.disparities(batch, model.semantics(batch))
    mirrored = batch.flip(-1)
    other = model.disparity(mirrored, model.semantics(mirrored)).flip(-1)
    depth, turned = model.metres(disparities[0]), model.metres(other)
    weighted = uncertainty(disparities, config, estimator.scale * view.focal_ratio)
    maps = {
        "agreement of scales, by distance (ours)": weighted,
        "agreement of scales": weighted / depth.sqrt(),
        "agreement with the mirror image": (depth.log() - turned.log()).abs(),
        "distance alone": depth,
    }
    return {
        name: torch.nn.functional.interpolate(view.shown(value), size, mode="bilinear")[0, 0].numpy()
        for name, value in maps.items()
    }


def main() -> None:
    """Evaluate and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sequence", type=Path, nargs="+", required=True, help="drives with measured depth")
    parser.add_argument("--ground_truth_dir", type=Path, nargs="+", default=[], help="of simulated drives")
    shipped = located(DEFAULT)
    parser.add_argument("--checkpoint", type=Path, default=shipped, help="the shipped one")
    parser.add_argument("--every", type=int, default=5, help="take every n-th frame")
    args = parser.parse_args()
    config = EvaluationConfig(every=args.every)
    estimator = DepthEstimator.from_checkpoint(args.checkpoint, fit="stretch")
    scores: dict[str, list[float]] = defaultdict(list)
    for frame in select_frames(args.sequence, config, None, args.ground_truth_dir):
        image, truth = frame.sequence.calibrated_image(frame.index), frame.truth.read(frame.index)
        found = estimator.estimate(image, frame.sequence.K, sky_infinite=False)
        compared = compare(truth, found.depth.numpy(), config)
        errors = np.abs(compared.prediction - compared.ground_truth) / compared.ground_truth
        for name, doubt in doubts(estimator, image, frame.sequence.K).items():
            scores[name].append(sparsification(errors, doubt[compared.mask]))
    print(f"AUSE / AUSE of chance, mean over {len(next(iter(scores.values())))} pictures")
    for name, values in scores.items():
        print(f"{name:<42} {np.mean(values):.3f}")


if __name__ == "__main__":
    main()
