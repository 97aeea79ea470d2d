# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Crop, mask, resize, median scaling and clamp of the Eigen protocol, by hand-made cases."""

import numpy as np
import pytest

from depth_node.config.evaluation import EvaluationConfig
from depth_node.errors import EvaluationError
from depth_node.evaluation.metrics import depth_metrics
from depth_node.evaluation.protocol import compare, crop_window, resize_depth, valid_mask

WHOLE = EvaluationConfig(crop="none")


def test_garg_crop_of_the_kitti_size():
    assert crop_window("garg", 375, 1242) == (slice(153, 371), slice(44, 1197))


def test_whole_image():
    assert crop_window("none", 375, 1242) == (slice(0, 375), slice(0, 1242))


def test_mask_is_crop_and_open_depth_range():
    truth = np.zeros((375, 1242), dtype=np.float32)
    truth[200, 100:108] = [0.0, 1e-3, 2e-3, 79.99, 80.0, 100.0, np.nan, np.inf]
    truth[152, 100] = truth[371, 100] = truth[200, 43] = truth[200, 1197] = 10.0  # one pixel outside on each side
    truth[153, 44] = truth[370, 1196] = 10.0  # the two extreme corners inside
    mask = valid_mask(truth, EvaluationConfig())
    assert {(int(row), int(column)) for row, column in np.argwhere(mask)} == {
        (200, 102),
        (200, 103),
        (153, 44),
        (370, 1196),
    }


def test_improved_ground_truth_has_no_cap():
    truth = np.array([[0.0, 50.0], [85.0, np.inf]])
    mask = valid_mask(truth, EvaluationConfig(crop="none", cap_ground_truth=False))
    assert mask.tolist() == [[False, True], [True, False]]


def test_median_scaling_by_hand():
    truth = np.array([[2.0, 4.0], [6.0, 0.0]])  # median 4
    prediction = np.array([[1.0, 1.0], [4.0, 9.0]])  # median of the three compared: 1
    got = compare(truth, prediction, WHOLE)
    assert got.ratio == 4.0
    assert got.prediction.tolist() == pytest.approx([4.0, 4.0, 16.0])
    assert got.mask.tolist() == [[True, True], [True, False]]
    # |2-4|/2 = 1, 0, |6-16|/6 = 5/3
    assert depth_metrics(got.ground_truth, got.prediction).abs_rel == pytest.approx((1 + 0 + 5 / 3) / 3)


def test_scaling_off_reports_the_ratio_all_the_same():
    truth = np.array([[2.0, 4.0], [6.0, 0.0]])
    got = compare(truth, truth / 2 + 1e-9, EvaluationConfig(crop="none", median_scaling=False))
    assert got.ratio == pytest.approx(2.0, rel=1e-6)
    assert got.prediction.tolist() == pytest.approx([1.0, 2.0, 3.0], rel=1e-6)


def test_clamp_comes_after_scaling():
    truth = np.array([[1.0, 10.0, 70.0]])
    got = compare(truth, np.array([[1e-6, 1.0, 20.0]]), WHOLE)  # ratio 10: 1e-5, 10, 200
    assert got.prediction.tolist() == pytest.approx([1e-3, 10.0, 80.0])


def test_an_even_number_of_pixels_takes_the_middle_of_two():
    got = compare(np.array([[1.0, 2.0, 4.0, 8.0]]), np.full((1, 4), 6.0), WHOLE)
    assert got.ratio == pytest.approx(0.5)  # median truth 3


def test_resizing_interpolates_inverse_depth():
    depth = np.array([[1.0, 4.0]], dtype=np.float32)
    # Pixel centres of 4 columns over 2: weights 1, 3/4, 1/4, 0 on inverse depths 1 and 1/4.
    expected = [1.0, 1 / (0.75 + 0.25 / 4), 1 / (0.25 + 0.75 / 4), 4.0]
    assert resize_depth(depth, 1, 4)[0].tolist() == pytest.approx(expected, rel=1e-6)


def test_resizing_agrees_with_resizing_the_disparity():
    cv2 = pytest.importorskip("cv2")
    sigmoid = np.random.default_rng(3).uniform(0, 1, (12, 40)).astype(np.float32)
    disparity = 0.01 + 9.99 * sigmoid
    reference = 1 / cv2.resize(disparity, (77, 23))
    np.testing.assert_allclose(resize_depth(1 / disparity, 23, 77), reference, rtol=1e-5)


def test_sky_stays_at_infinity_and_is_clamped():
    truth = np.array([[10.0, 20.0, 30.0]])
    got = compare(truth, np.array([[10.0, 20.0, np.inf]]), WHOLE)
    assert got.prediction.tolist() == pytest.approx([10.0, 20.0, 80.0])


@pytest.mark.parametrize(
    ("truth", "prediction", "says"),
    [
        ([[0.0, 90.0]], [[1.0, 1.0]], "no pixel"),
        ([[1.0, 2.0]], [[np.nan, 1.0]], "not a positive number"),
        ([[1.0, 2.0]], [[-1.0, 1.0]], "not a positive number"),
        ([[1.0, 2.0, 3.0]], [[1.0, np.inf, np.inf]], "infinite"),
    ],
)
def test_what_cannot_be_compared_says_why(truth, prediction, says):
    with pytest.raises(EvaluationError, match=says):
        compare(np.array(truth), np.array(prediction), WHOLE)
