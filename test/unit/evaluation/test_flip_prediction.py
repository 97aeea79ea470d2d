# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Post-processing by flip: the masks by hand, and the real network on both images; no infinite sky."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.config.evaluation import EvaluationConfig
from depth_node.evaluation.flip_prediction import open_estimator, post_process, predict_depth

K = np.array([[150.0, 0, 99.5], [0, 150, 29.5], [0, 0, 1]])


def test_weights_across_the_image():
    ones, zeros = np.ones((1, 101)), np.zeros((1, 101))  # columns at 0, 0.01 ... 1 of the width
    of_mirrored = post_process(zeros, ones)[0]
    assert of_mirrored[[0, 5]].tolist() == [1.0, 1.0]  # the left border is the mirrored image's
    assert of_mirrored[7] == pytest.approx(0.6 + 0.4 / 2)  # 1 - 20 * (0.07 - 0.05) = 0.6; the rest is shared
    assert of_mirrored[[10, 50, 90]].tolist() == pytest.approx([0.5, 0.5, 0.5])
    assert of_mirrored[[95, 100]].tolist() == pytest.approx([0.0, 0.0])
    np.testing.assert_allclose(post_process(ones, zeros)[0], of_mirrored[::-1], atol=1e-12)


def test_equal_predictions_stay():
    inverse = np.random.default_rng(0).uniform(0.01, 10, (4, 33))
    np.testing.assert_allclose(post_process(inverse, inverse), inverse, rtol=1e-12)


@pytest.fixture(scope="module")
def estimator(checkpoint_file):
    return open_estimator(checkpoint_file, EvaluationConfig(device="cpu"))


def test_both_images_are_predicted(estimator):
    image = np.random.default_rng(1).integers(0, 256, (60, 200, 3), np.uint8)
    plain = estimator.estimate(image, K).depth.numpy()
    mirrored = estimator.estimate(np.ascontiguousarray(image[:, ::-1]), K).depth.numpy()[:, ::-1]
    got = predict_depth(estimator, image, K, flip=True)
    assert got.shape == plain.shape
    assert got.dtype == np.float32
    np.testing.assert_allclose(got[:, 96], 2 / (1 / plain[:, 96] + 1 / mirrored[:, 96]), rtol=1e-6)  # the mean inverse
    np.testing.assert_allclose(got[:, 0], mirrored[:, 0], rtol=1e-6)
    np.testing.assert_allclose(got[:, -1], plain[:, -1], rtol=1e-6)
    assert np.abs(plain / mirrored - 1).max() > 1e-3  # or nothing was tested
    np.testing.assert_array_equal(predict_depth(estimator, image, K), plain)


def test_a_mirrored_image_gives_the_mirrored_result(estimator):
    image = np.random.default_rng(2).integers(0, 256, (64, 192, 3), np.uint8)
    straight = predict_depth(estimator, image, K, flip=True)
    np.testing.assert_allclose(predict_depth(estimator, image[:, ::-1], K, flip=True)[:, ::-1], straight, rtol=1e-5)


def test_what_is_taken_for_sky_is_measured_all_the_same(guided_checkpoint):
    estimator = open_estimator(guided_checkpoint, EvaluationConfig(device="cpu"))
    image = np.random.default_rng(0).integers(0, 256, (60, 200, 3), np.uint8)
    sky = np.isinf(estimator.estimate(image, K).depth.numpy())
    assert sky.any()
    for flip in (False, True):
        assert np.isfinite(predict_depth(estimator, image, K, flip)[sky]).all()
