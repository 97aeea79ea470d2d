# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""TRI's mirroring: the depth network sees some targets mirrored, everything else stays as it is."""

from __future__ import annotations

import torch

from depth_node.config.network import NetworkConfig
from depth_node.config.training import AugmentConfig, TrainConfig
from depth_node.datasets.augmentation import Augmentation
from depth_node.datasets.randomness import Draws
from depth_node.datasets.sample import Sample
from depth_node.training.module import SelfSupervisedModule

BATCH = Sample(
    target=torch.rand(4, 3, 64, 96, generator=torch.Generator().manual_seed(0)),
    sources=torch.rand(4, 2, 3, 64, 96, generator=torch.Generator().manual_seed(1)),
    K=torch.eye(3).expand(4, 3, 3),
    index=torch.arange(4),
)


def test_pictures_and_camera_stay_and_some_targets_are_marked():
    marked = Augmentation(AugmentConfig(flip_depth_only=True)).mirror(BATCH, Draws.of_step(0, 0, range(4)))
    torch.testing.assert_close(marked.target, BATCH.target)
    torch.testing.assert_close(marked.sources, BATCH.sources)
    torch.testing.assert_close(marked.K, BATCH.K)
    every = Augmentation(AugmentConfig(flip_depth_only=True, flip=1.0)).mirror(BATCH, Draws.of_step(0, 0, range(4)))
    assert every.mirrored.all()
    plain = Augmentation(AugmentConfig(flip=1.0)).mirror(BATCH, Draws.of_step(0, 0, range(4)))
    assert not plain.mirrored.any()


def test_disparities_of_marked_targets_are_those_of_their_mirror_image():
    torch.manual_seed(0)
    config = TrainConfig(pretrained=False, augment=AugmentConfig(flip_depth_only=True))
    module = SelfSupervisedModule(NetworkConfig(height=64, width=96, pose="posenet"), config).eval()
    marks = torch.tensor([True, False, True, False])
    with torch.inference_mode():
        found = module._disparities_of(BATCH, marks)
        straight, turned = module.disparities(BATCH.target), module.disparities(BATCH.target.flip(-1))
    assert len(found) == 4
    for level, disparity in enumerate(found):
        torch.testing.assert_close(disparity[marks], turned[level].flip(-1)[marks], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(disparity[~marks], straight[level][~marks], atol=1e-5, rtol=1e-4)
    assert (found[0][marks] - straight[0][marks]).abs().max() > 1e-3
