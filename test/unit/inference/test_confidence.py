# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
import torch

from depth_node.config.network import NetworkConfig
from depth_node.inference.confidence import confidence_of, uncertainty
from depth_node.inference.estimator import DepthEstimator
from depth_node.inference.pointcloud import cloud_dtype
from depth_node.inference.tensor_prediction import CloudPacker

CONFIG = NetworkConfig()
K = np.array([[80.0, 0, 31.5], [0, 80, 15.5], [0, 0, 1]])


def pyramid(*values):
    return [torch.full((1, 1, 32 // 2**level, 64 // 2**level), value) for level, value in enumerate(values)]


def test_scales_that_agree_are_sure():
    assert uncertainty(pyramid(0.2, 0.2, 0.2, 0.2), CONFIG, 1.0).abs().max() < 1e-5
    assert (confidence_of(torch.zeros(2)) == 255).all()


def test_scales_that_differ_are_not():
    near = uncertainty(pyramid(0.2, 0.2, 0.2, 0.25), CONFIG, 1.0)
    far = uncertainty(pyramid(0.02, 0.02, 0.02, 0.025), CONFIG, 1.0)
    assert (near > 0.02).all()
    assert (far > near).all()
    assert (confidence_of(far) < confidence_of(near)).all()
    assert confidence_of(torch.tensor(0.1)) == 94
    assert confidence_of(torch.tensor(10.0)) == 0


def test_the_standard_deviation_of_the_logarithm_weighted_by_the_root_of_distance():
    depths = np.array([5.0, 5.0, 6.0, 6.0])
    span, low = 1 / CONFIG.min_depth - 1 / CONFIG.max_depth, 1 / CONFIG.max_depth
    found = uncertainty(pyramid(*((1 / depths - low) / span)), CONFIG, 8.0)
    expected = np.log(depths).std(ddof=1) * np.sqrt(5.0 * 8.0 / 10.0)
    torch.testing.assert_close(found, torch.full_like(found, expected), rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("full_resolution", [False, True])
def test_the_estimator_gives_it_at_the_size_of_depth_when_asked(checkpoint_file, full_resolution):
    estimator = DepthEstimator.from_checkpoint(checkpoint_file)
    image = np.random.default_rng(0).integers(0, 255, (60, 200, 3), np.uint8)
    assert estimator.estimate(image, None, full_resolution).confidence is None
    found = estimator.estimate(image, None, full_resolution, with_confidence=True)
    assert found.confidence.shape == found.depth.shape
    assert found.confidence.dtype == torch.uint8
    plain = estimator.estimate(image, None, full_resolution)
    torch.testing.assert_close(found.depth, plain.depth)


def test_points_may_carry_it_and_be_left_out_by_it():
    depth, image = torch.full((32, 64), 5.0), torch.zeros(32, 64, 3, dtype=torch.uint8)
    sure = torch.full((32, 64), 255, dtype=torch.uint8)
    sure[:, :20], sure[:, 20:30] = 51, 0
    labels = torch.full((32, 64), 7, dtype=torch.uint8)
    cloud = CloudPacker(32, 64, K, with_labels=True, with_confidence=True).pack(
        depth, image, labels, confidence=sure, min_confidence=51
    )
    assert cloud.dtype == cloud_dtype(True, True)
    assert cloud.dtype.names == ("x", "y", "z", "rgb", "label", "confidence")
    np.testing.assert_allclose(cloud["confidence"], sure.numpy() / 255.0, atol=1e-6)
    assert (cloud["label"] == 7).all()
    assert np.isnan(cloud["z"][:, 20:30]).all()
    assert np.isfinite(cloud["z"][:, :20]).all()
    assert np.isfinite(cloud["z"][:, 30:]).all()


def test_a_packer_with_confidence_needs_it():
    depth, image = torch.full((32, 64), 5.0), torch.zeros(32, 64, 3, dtype=torch.uint8)
    for packer, least in ((CloudPacker(32, 64, K, with_confidence=True), 0), (CloudPacker(32, 64, K), 5)):
        with pytest.raises(ValueError, match="confidence"):
            packer.fill(depth, image, min_confidence=least)
