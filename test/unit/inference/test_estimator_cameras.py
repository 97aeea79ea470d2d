# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The engine on cameras that the network did not learn from: metres follow the focal length, nothing is squeezed."""

import cv2
import numpy as np
import pytest
import torch

from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth import Checkpoint, CheckpointInfo
from depth_node.config.classes import CITYSCAPES, UNLABELLED
from depth_node.config.network import NetworkConfig
from depth_node.inference.estimator import DepthEstimator
from depth_node.networks.factory import build_depth_network

CONFIG = NetworkConfig(architecture="lite_hr_depth", height=64, width=128)
CAMERA = TrainingCamera(128, 64, 100.0, 100.0, 63.5, 31.5)
K = np.array([[100.0, 0, 63.5], [0, 100.0, 31.5], [0, 0, 1]])


def picture(height, width, seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 15, 3), np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def engine(fit, camera=CAMERA):
    torch.manual_seed(0)
    network = build_depth_network(CONFIG)
    with torch.no_grad():
        network.decoder.heads[0].conv.weight.mul_(200.0)
    info = CheckpointInfo(CONFIG, camera=camera, scale=10.0, scale_source="ground_truth")
    return DepthEstimator(Checkpoint(info, network), device="cpu", fit=fit)


@pytest.mark.parametrize(
    ("fit", "ratio"),
    # Cropping never shows things larger than the network knows them: it would see another picture.
    [(fit, ratio) for fit in ("pad", "crop", "stretch") for ratio in (0.4, 0.87, 1.5) if fit != "crop" or ratio < 1],
)
def test_the_same_picture_through_a_longer_lens_is_farther(fit, ratio):
    """Same pixels, so that the network says the same; twice the focal length, so that everything is twice as far."""
    longer = K.copy()
    longer[0, 0] = longer[1, 1] = ratio * 100.0
    near, far = (engine(fit).estimate(picture(64, 128), camera).depth for camera in (K, longer))
    torch.testing.assert_close(far, near * ratio)


def test_what_a_larger_sensor_sees_beside_does_not_matter():
    """A higher sensor behind the same lens: cropped, its middle is the training camera's picture."""
    image = picture(200, 128)
    larger = K.copy()
    larger[1, 2] += 70
    alone = engine("crop").estimate(image[70:134], K)
    within = engine("crop").estimate(image, larger)
    torch.testing.assert_close(within.depth, alone.depth, rtol=0, atol=0)
    np.testing.assert_allclose(within.K, K)
    assert within.image.shape == (64, 128, 3)


def test_at_full_resolution_the_rest_is_unknown():
    image = picture(200, 128)
    larger = K.copy()
    larger[1, 2] += 70
    alone = engine("crop").estimate(image[70:134], K, full_resolution=True)
    within = engine("crop").estimate(image, larger, full_resolution=True)
    assert within.depth.shape == within.valid.shape == (200, 128)
    torch.testing.assert_close(within.depth[70:134], alone.depth, rtol=0, atol=0)
    assert int(within.valid.sum()) == 64 * 128
    np.testing.assert_array_equal(within.K, larger)


def test_padded_depth_belongs_to_the_pictures_pixels():
    """A square picture: the middle of the input, and full resolution is an enlargement of it."""
    square = np.array([[150.0, 0, 95.5], [0, 150.0, 95.5], [0, 0, 1]])
    small = engine("pad").estimate(picture(192, 192), square)
    large = engine("pad").estimate(picture(192, 192), square, full_resolution=True)
    assert small.depth.shape == (64, 64)
    assert small.view.target[:2] == (32, 0)
    assert small.view.focal_ratio == pytest.approx(0.5)
    assert large.depth.shape == (192, 192)
    centres = large.depth[1::3, 1::3]
    torch.testing.assert_close(centres, small.depth, rtol=1e-4, atol=0)


def test_without_a_camera_depth_is_the_networks_own():
    image = picture(100, 128)
    ours, theirs = engine("pad", camera=None), engine("pad")
    expected = ours.estimate(image, K).depth
    found = theirs.estimate(image, None)
    torch.testing.assert_close(found.depth, expected, rtol=0, atol=0)
    assert np.isnan(found.K).all()


def test_labels_go_with_the_depth(make_semantic_checkpoint, tmp_path):
    make_semantic_checkpoint(tmp_path / "net.safetensors", "lite_hr_depth", guided=True)
    loaded = DepthEstimator.from_checkpoint(tmp_path / "net.safetensors", "cpu", "fp32", "crop")
    object.__setattr__(loaded.info, "camera", CAMERA)
    image, larger = picture(200, 128), K.copy()
    larger[1, 2] += 70
    shown = loaded.estimate(image, larger, sky_infinite=False)
    whole = loaded.estimate(image, larger, full_resolution=True, sky_infinite=False)
    assert shown.labels.shape == (64, 128)
    torch.testing.assert_close(whole.labels[70:134], shown.labels)
    outside = torch.ones(200, 128, dtype=torch.bool)
    outside[70:134] = False
    assert (whole.labels[outside] == UNLABELLED).all()
    assert int(shown.labels.max()) < len(CITYSCAPES)
