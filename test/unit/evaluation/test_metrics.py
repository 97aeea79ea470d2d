# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The seven metrics against numbers worked out by hand."""

import dataclasses
import math

import numpy as np
import pytest

from depth_node.errors import EvaluationError
from depth_node.evaluation.metrics import DepthMetrics, depth_metrics, mean_metrics, pixel_errors, pooled_metrics


def test_two_by_two_by_hand():
    truth = np.array([[1.0, 2.0], [4.0, 10.0]])
    prediction = np.array([[1.0, 4.0], [2.0, 8.0]])
    # differences 0, -2, 2, 2; ratios 1, 2, 2, 1.25 (not below 1.25)
    got = depth_metrics(truth, prediction)
    assert got.abs_rel == pytest.approx((0 + 2 / 2 + 2 / 4 + 2 / 10) / 4)  # 0.425
    assert got.sq_rel == pytest.approx((0 + 4 / 2 + 4 / 4 + 4 / 10) / 4)  # 0.85
    assert got.rmse == pytest.approx(math.sqrt((0 + 4 + 4 + 4) / 4))  # sqrt 3
    assert got.rmse_log == pytest.approx(math.sqrt((2 * math.log(2) ** 2 + math.log(1.25) ** 2) / 4))
    assert (got.a1, got.a2, got.a3) == (0.25, 0.5, 0.5)


def test_thresholds_are_powers_of_five_quarters():
    truth = np.full(4, 1.0)
    got = depth_metrics(truth, np.array([1.2, 1.5, 1.9, 2.0]))  # 1.25, 1.5625, 1.953125
    assert (got.a1, got.a2, got.a3) == (0.25, 0.5, 0.75)
    assert depth_metrics(truth, 1 / np.array([1.2, 1.5, 1.9, 2.0])).a3 == 0.75


def test_a_perfect_prediction():
    depth = np.random.default_rng(0).uniform(1, 80, (5, 7))
    assert depth_metrics(depth, depth) == DepthMetrics(0, 0, 0, 0, 1, 1, 1)


def test_single_precision_input_loses_nothing():
    truth = np.full(100_000, 0.1, dtype=np.float32)
    assert depth_metrics(truth, truth * np.float32(2)).abs_rel == pytest.approx(1.0, abs=1e-12)


def test_mean_is_over_images_not_pixels():
    one = depth_metrics(np.full(100, 2.0), np.full(100, 2.0))
    other = depth_metrics(np.full(1, 2.0), np.full(1, 4.0))
    mean = mean_metrics([one, other])
    assert mean.abs_rel == 0.5
    assert mean.a1 == 0.5
    assert mean.rmse == 1.0


def test_what_each_pixel_adds():
    errors = pixel_errors(np.array([[2.0], [4.0]]), np.array([[4.0], [3.0]]))  # ratios 2 and 4/3
    assert errors[:, 0] == pytest.approx([1.0, 2.0, 4.0, math.log(2) ** 2, 0, 0, 0])
    assert errors[:, 1] == pytest.approx([0.25, 0.25, 1.0, math.log(4 / 3) ** 2, 0, 1, 1])


def test_pooled_metrics_are_those_of_all_pixels_at_once():
    random = np.random.default_rng(1)
    images = [(random.uniform(1, 50, n), random.uniform(1, 50, n)) for n in (3, 40, 500)]
    pooled = pooled_metrics([depth_metrics(*image) for image in images], [3, 40, 500])
    at_once = depth_metrics(*(np.concatenate(part) for part in zip(*images, strict=True)))
    assert dataclasses.astuple(pooled) == pytest.approx(dataclasses.astuple(at_once), rel=1e-12)
    assert pooled.abs_rel != pytest.approx(mean_metrics(depth_metrics(*image) for image in images).abs_rel, rel=1e-3)


@pytest.mark.parametrize(
    ("truth", "prediction", "says"),
    [
        ([1.0, 2.0], [1.0], "differ in shape"),
        ([], [], "mask is empty"),
        ([0.0], [1.0], "ground truth holds"),
        ([1.0], [-1.0], "prediction holds"),
        ([1.0], [math.nan], "prediction holds"),
        ([math.inf], [1.0], "ground truth holds"),
    ],
)
def test_what_cannot_be_compared_says_why(truth, prediction, says):
    with pytest.raises(EvaluationError, match=says):
        depth_metrics(truth, prediction)


def test_no_image_to_average():
    with pytest.raises(EvaluationError, match="no image"):
        mean_metrics([])
