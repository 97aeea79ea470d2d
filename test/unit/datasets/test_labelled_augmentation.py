# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures and labels stay together through random changes."""

from __future__ import annotations

import pytest
import torch

from depth_node.config.semantic_training import SemanticTrainConfig
from depth_node.config.training import AugmentConfig
from depth_node.datasets.labelled_augmentation import LabelledAugmentation


def batch(count=4, height=64, width=192):
    """Pictures whose red channel tells the label: a ramp from left to right in 8 steps, another per picture."""
    ramp = torch.arange(width).mul(8).div(width, rounding_mode="floor")
    labels = torch.stack([(ramp + index) % 8 for index in range(count)])[:, None].expand(-1, height, -1).to(torch.uint8)
    images = torch.full((count, 3, height, width), 0.5)
    images[:, 0] = labels / 8.0
    return images, labels.contiguous()


def config(**changes):
    plain = {"jitter": 0.0, "flip": 0.0}
    own = {key: changes.pop(key) for key in list(changes) if key in plain}
    return SemanticTrainConfig(augment=AugmentConfig(**plain | own), **changes)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_labels_follow_their_pictures(seed, flip):
    torch.manual_seed(seed)
    images, labels = LabelledAugmentation(config(smallest=0.5, largest=2.0, flip=flip))(*batch())
    assert images.shape[-2:] == labels.shape[-2:]
    told = (images[:, 0] * 8).round().to(torch.uint8)
    # Interpolation blurs the seven borders between labels, nothing else.
    assert (told == labels).float().mean() > 0.8


def test_mirroring_mirrors():
    images, labels = batch()
    flipped = LabelledAugmentation(config(smallest=1.0, largest=1.0, flip=1.0))(images, labels)
    assert torch.equal(flipped[0], images.flip(-1))
    assert torch.equal(flipped[1], labels.flip(-1))


def test_sizes_are_multiples_of_the_stride():
    torch.manual_seed(0)
    augment = LabelledAugmentation(config(smallest=0.5, largest=1.5))
    sizes = {tuple(augment(*batch(1, 192, 320))[1].shape[-2:]) for _ in range(40)}
    assert all(height % 32 == 0 and width % 32 == 0 for height, width in sizes)
    assert (192, 320) in sizes
    assert min(sizes)[0] in (96, 128)
    assert max(sizes) == (192, 320), "larger scales are cropped"
    assert len(sizes) > 3


def test_jitter_changes_colours_only():
    torch.manual_seed(0)
    images, labels = batch()
    jittered = LabelledAugmentation(config(smallest=1.0, largest=1.0, jitter=1.0))(images, labels)
    assert torch.equal(jittered[1], labels)
    assert not torch.allclose(jittered[0], images, atol=0.01)
    assert jittered[0].min() >= 0.0
    assert jittered[0].max() <= 1.0
