# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import torch

from depth_node.config.training import AugmentConfig
from depth_node.datasets.augmentation import Augmentation
from depth_node.datasets.randomness import Draws
from depth_node.datasets.sample import Sample
from depth_node.geometry.pose import transform_from_axis_angle
from depth_node.geometry.warp import warp_image

GENERATOR = torch.Generator().manual_seed(0)
K = torch.tensor([[30.0, 0.0, 12.0], [0.0, 30.0, 7.5], [0.0, 0.0, 1.0]])
BATCH = Sample(
    target=torch.rand(2, 3, 16, 32, generator=GENERATOR),
    sources=torch.rand(2, 2, 3, 16, 32, generator=GENERATOR),
    K=K.expand(2, 3, 3),
    index=torch.arange(2),
)
DRAWS = Draws.of_step(seed=0, step=0, places=range(2))


def test_mirroring_turns_images_and_camera_together():
    mirrored = Augmentation(AugmentConfig(flip=1.0)).mirror(BATCH, DRAWS)
    torch.testing.assert_close(mirrored.sources, BATCH.sources.flip(-1))
    # Seen through the mirrored camera, mirrored motion gives the mirrored warp: the triplet is still consistent.
    depth = 3 + torch.rand(2, 1, 16, 32, generator=GENERATOR)
    motion = transform_from_axis_angle(torch.tensor([[0.0, 0.05, 0.0]] * 2), torch.tensor([[0.2, 0.1, 0.3]] * 2))
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0, 1.0]))
    straight = warp_image(BATCH.sources[:, 0], depth, BATCH.K, motion)
    turned = warp_image(mirrored.sources[:, 0], depth.flip(-1), mirrored.K, mirror @ motion @ mirror)
    torch.testing.assert_close(turned.flip(-1), straight, atol=1e-4, rtol=0)


def test_one_jitter_for_all_frames_of_a_triplet():
    same = Sample(BATCH.target, BATCH.target[:, None].repeat(1, 2, 1, 1, 1), BATCH.K, BATCH.index)
    jittered = Augmentation(AugmentConfig(jitter=1.0)).jitter(same, DRAWS)
    torch.testing.assert_close(jittered.sources[:, 0], jittered.target)
    assert (jittered.target - BATCH.target).abs().mean() > 0.005


def test_nothing_happens_at_probability_zero():
    still = Augmentation(AugmentConfig(flip=0.0, jitter=0.0))
    result = still.jitter(still.mirror(BATCH, DRAWS), DRAWS)
    torch.testing.assert_close(result.target, BATCH.target)
    torch.testing.assert_close(result.K, BATCH.K)


def test_a_triplet_is_changed_alike_in_whatever_batch_it_stands():
    augmentation = Augmentation(AugmentConfig())
    steps = range(12)
    whole = [change(augmentation, BATCH, Draws.of_step(7, step, range(2))) for step in steps]
    second = Sample(BATCH.target[1:], BATCH.sources[1:], BATCH.K[1:], BATCH.index[1:])
    torch.manual_seed(99)  # what was drawn elsewhere plays no part
    alone = [change(augmentation, second, Draws.of_step(7, step, [1])) for step in steps]
    assert all(torch.equal(together[1], single[0]) for together, single in zip(whole, alone, strict=True))
    assert len({float(together[0].sum()) for together in whole}) > 6


def change(augmentation, batch, draws):
    return augmentation.jitter(augmentation.mirror(batch, draws), draws).target


def test_about_half_of_the_triplets_are_mirrored():
    augmentation = Augmentation(AugmentConfig(jitter=0.0))
    mirrored = 0
    for step in range(100):
        target = change(augmentation, BATCH, Draws.of_step(1, step, range(2)))
        mirrored += sum(not torch.equal(*pair) for pair in zip(target, BATCH.target, strict=True))
    assert 75 < mirrored < 125
