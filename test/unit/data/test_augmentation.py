import torch

from depth_node.config.training import AugmentConfig
from depth_node.data.augmentation import Augmentation
from depth_node.data.sample import Sample
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


def test_mirroring_turns_images_and_camera_together():
    mirrored = Augmentation(AugmentConfig(flip=1.0)).mirror(BATCH)
    torch.testing.assert_close(mirrored.sources, BATCH.sources.flip(-1))
    # Seen through the mirrored camera, mirrored motion gives the mirrored warp: the triplet is still consistent.
    depth = 3 + torch.rand(2, 1, 16, 32, generator=GENERATOR)
    motion = transform_from_axis_angle(torch.tensor([[0.0, 0.05, 0.0]] * 2), torch.tensor([[0.2, 0.1, 0.3]] * 2))
    mirror = torch.diag(torch.tensor([-1.0, 1.0, 1.0, 1.0]))
    straight = warp_image(BATCH.sources[:, 0], depth, BATCH.K, motion)
    turned = warp_image(mirrored.sources[:, 0], depth.flip(-1), mirrored.K, mirror @ motion @ mirror)
    torch.testing.assert_close(turned.flip(-1), straight, atol=1e-4, rtol=0)


def test_one_jitter_for_all_frames_of_a_triplet():
    torch.manual_seed(0)
    same = Sample(BATCH.target, BATCH.target[:, None].repeat(1, 2, 1, 1, 1), BATCH.K, BATCH.index)
    jittered = Augmentation(AugmentConfig(jitter=1.0)).jitter(same)
    torch.testing.assert_close(jittered.sources[:, 0], jittered.target)
    assert (jittered.target - BATCH.target).abs().mean() > 0.005


def test_nothing_happens_at_probability_zero():
    still = Augmentation(AugmentConfig(flip=0.0, jitter=0.0))
    result = still.jitter(still.mirror(BATCH))
    torch.testing.assert_close(result.target, BATCH.target)
    torch.testing.assert_close(result.K, BATCH.K)
