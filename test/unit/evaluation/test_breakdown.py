# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics per class and per range against numbers worked out by hand, by both rules of averaging."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from depth_node.evaluation.breakdown import Breakdown, PartErrors, range_parts
from depth_node.evaluation.metrics import depth_metrics, pixel_errors

NAMES = ("road", "car", "sky")
# Two images, (truth, prediction, class). abs_rel of each pixel behind it.
FIRST = (
    [10.0, 10.0, 10.0, 4.0, 8.0],  # truth
    [10.0, 11.0, 12.0, 6.0, 9.0],  # prediction: 0, 0.1, 0.2 | 0.5 | 0.125
    [0, 0, 0, 1, 255],  # three of road, one of car, one unlabelled
)
SECOND = ([20.0, 5.0, 5.0, 5.0], [30.0, 5.0, 6.0, 5.0], [0, 1, 1, 1])  # road 0.5 | car 0, 0.2, 0


def errors_of(image):
    truth, prediction, classes = image
    return PartErrors.of(pixel_errors(truth, prediction), np.array(classes, np.uint8), NAMES)


@pytest.fixture
def breakdown():
    return Breakdown.of([errors_of(FIRST), errors_of(SECOND)])


def part(breakdown, name):
    return next(part for part in breakdown.parts if part.name == name)


def test_an_image_is_summed_by_class():
    errors = errors_of(FIRST)
    assert errors.pixels.tolist() == [3, 1, 0]
    assert errors.sums[:, 0].tolist() == pytest.approx([0.3, 0.5, 0.0])  # abs_rel
    assert errors.sums[:, 2].tolist() == pytest.approx([0 + 1 + 4, 4, 0])  # squares


def test_over_the_dataset_every_pixel_counts_alike(breakdown):
    road, car = part(breakdown, "road").by_dataset, part(breakdown, "car").by_dataset
    assert road.abs_rel == pytest.approx((0 + 0.1 + 0.2 + 0.5) / 4)
    assert car.abs_rel == pytest.approx((0.5 + 0 + 0.2 + 0) / 4)
    assert road.rmse == pytest.approx(math.sqrt((0 + 1 + 4 + 100) / 4))
    assert road.sq_rel == pytest.approx((0 + 0.1 + 0.4 + 5) / 4)
    assert car.a1 == pytest.approx(3 / 4)  # 6 / 4 is not below 1.25


def test_per_image_every_image_counts_alike(breakdown):
    road, car = part(breakdown, "road").by_image, part(breakdown, "car").by_image
    assert road.abs_rel == pytest.approx((0.1 + 0.5) / 2)
    assert car.abs_rel == pytest.approx((0.5 + 0.2 / 3) / 2)
    assert road.rmse == pytest.approx((math.sqrt(5 / 3) + 10) / 2)
    assert car.a1 == pytest.approx((0 + 1) / 2)


def test_the_class_average_is_unweighted_over_classes_with_pixels(breakdown):
    assert [part.name for part in breakdown.parts] == ["road", "car"]  # no pixel of sky, none without a name
    assert breakdown.average("dataset").abs_rel == pytest.approx((0.2 + 0.175) / 2)
    assert breakdown.average("image").abs_rel == pytest.approx((0.3 + (0.5 + 0.2 / 3) / 2) / 2)


def test_images_without_the_class_do_not_count():
    third = ([10.0], [20.0], [2])
    breakdown = Breakdown.of([errors_of(FIRST), errors_of(SECOND), errors_of(third)])
    road = part(breakdown, "road")
    assert (road.images, road.pixels) == (2, 4)
    assert road.by_image.abs_rel == pytest.approx(0.3)
    assert breakdown.images == 3
    assert breakdown.average().abs_rel == pytest.approx((0.2 + 0.175 + 1.0) / 3)


def test_rare_classes_can_be_left_out_of_the_average(breakdown):
    few = Breakdown.of([errors_of(FIRST)])
    assert few.average("dataset", min_pixels=2).abs_rel == pytest.approx(0.1)  # one pixel of car does not count
    assert few.average("dataset", min_pixels=9) is None
    assert [part.name for part in few.parts] == ["road", "car"]


def test_classes_of_equal_name_are_one_whatever_their_number():
    other = PartErrors.of(pixel_errors([10.0], [13.0]), np.array([1]), ("car", "road"))
    breakdown = Breakdown.of([errors_of(FIRST), other])
    assert part(breakdown, "road").by_dataset.abs_rel == pytest.approx((0 + 0.1 + 0.2 + 0.3) / 4)


def test_parts_equal_the_metrics_of_their_pixels_alone():
    random = np.random.default_rng(0)
    truth, guess = random.uniform(1, 80, (2, 5000))
    classes = random.integers(0, 3, 5000)
    breakdown = Breakdown.of([PartErrors.of(pixel_errors(truth, guess), classes, NAMES)])
    for number, name in enumerate(NAMES):
        alone = dataclasses.astuple(depth_metrics(truth[classes == number], guess[classes == number]))
        for got in (part(breakdown, name).by_dataset, part(breakdown, name).by_image):
            assert dataclasses.astuple(got) == pytest.approx(alone, rel=1e-12)


def test_ranges_are_half_open():
    numbers, names = range_parts(np.array([0.5, 9.99, 10.0, 39.9, 79.0, 80.0, 90.0]), (0, 10, 20, 40, 80))
    assert names == ("0-10 m", "10-20 m", "20-40 m", "40-80 m")
    assert numbers.tolist() == [0, 0, 1, 2, 3, 4, 4]  # 4: beyond the last range
    breakdown = Breakdown.of(
        [PartErrors.of(pixel_errors([5.0, 12.0, 80.0], [10.0, 12.0, 1.0]), numbers[[0, 2, 5]], names)]
    )
    assert [(part.name, part.pixels, part.by_dataset.abs_rel) for part in breakdown.parts] == [
        ("0-10 m", 1, 1.0),
        ("10-20 m", 1, 0.0),
    ]
    assert range_parts(np.array([1e4]), (0, 80, math.inf))[0].tolist() == [1]


def test_the_record_has_both_rules(breakdown):
    record = breakdown.record(min_pixels=4)
    assert record["averaged"] == ["road", "car"]
    assert record["average"]["by_dataset"]["abs_rel"] == pytest.approx(0.1875)
    assert record["each"]["car"]["by_image"]["a1"] == pytest.approx(0.5)
    assert (record["each"]["road"]["pixels"], record["each"]["road"]["images"], record["images"]) == (4, 2, 2)
    assert Breakdown.of([]).record() == {
        "images": 0,
        "averaged": [],
        "average": {"by_dataset": None, "by_image": None},
        "each": {},
    }
