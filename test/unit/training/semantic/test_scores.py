# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Intersection over union by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from depth_node.config.classes import CITYSCAPES, ClassMap
from depth_node.errors import TrainingError
from depth_node.training.semantic.module import decay
from depth_node.training.semantic.scores import SemanticScores, add_batch, confusion_metric
from depth_node.training.semantic.sources import class_shares, class_weights, ignored_values

FOUR = ClassMap.of({"names": ["a", "b", "c", "d"]})


@pytest.fixture
def scores():
    labels = torch.tensor([[[0, 0, 0, 0], [1, 1, 255, 255]]], dtype=torch.uint8)
    predicted = torch.tensor([[[0, 0, 0, 1], [1, 2, 3, 0]]], dtype=torch.uint8)
    metric = confusion_metric(FOUR)
    add_batch(metric, predicted, labels)
    add_batch(metric, predicted, torch.full_like(labels, 255))
    return SemanticScores.of(metric.compute(), FOUR.names)


def test_scores_by_hand(scores):
    assert scores.iou[:3] == pytest.approx((3 / 4, 1 / 3, 0.0))
    assert math.isnan(scores.iou[3]), "neither labelled nor, where labels are known, predicted"
    assert scores.miou == pytest.approx((3 / 4 + 1 / 3) / 2), "c is not in the labels"
    assert scores.accuracy == pytest.approx(4 / 6)
    assert scores.share == pytest.approx((4 / 6, 2 / 6, 0.0, 0.0))


def test_the_table_names_what_occurs(scores):
    lines = scores.table().splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["a", "b", "c"]
    assert lines[-1] == "mIoU 0.5417 over 2 classes, accuracy 0.6667"
    assert len(lines) == 5


def test_the_record_is_json(scores):
    record = json.loads(json.dumps(scores.record(), allow_nan=False))
    assert record["iou"]["d"] is None
    assert record["share"]["a"] == pytest.approx(4 / 6)


def test_nothing_labelled_is_not_a_number():
    nothing = SemanticScores.of(torch.zeros(4, 4), FOUR.names)
    assert math.isnan(nothing.miou)
    assert nothing.record()["miou"] is None


def test_shares_and_weights():
    values = np.zeros(256, np.int64)
    values[[0, 13, 40, 255]] = (90, 10, 100, 50)
    table = [index if index < 19 else 255 for index in range(256)]
    shares = class_shares(values, table, CITYSCAPES)
    assert shares[[0, 13, 1]] == pytest.approx([0.9, 0.1, 0.0])
    assert ignored_values(values, table) == {40: 0.4}
    weights = class_weights(shares)
    assert weights[1] > weights[13] > weights[0]
    assert float(weights.mean()) == pytest.approx(1.0)
    assert float(weights[13] / weights[0]) == pytest.approx(math.log(1.92) / math.log(1.12))


def test_labels_of_another_map_are_refused():
    values = np.zeros(256, np.int64)
    values[[100, 200]] = 5
    with pytest.raises(TrainingError, match=r"hold the values 100, 200; choose other classes"):
        class_shares(values, [255] * 256, CITYSCAPES)


@pytest.mark.parametrize("kind", ["poly", "cosine"])
def test_the_rate_falls_from_all_to_nothing(kind):
    factors = [decay(kind, step / 10) for step in range(12)]
    assert factors[0] == 1.0
    assert factors[10] == factors[11] == 0.0
    assert factors[:11] == sorted(factors[:11], reverse=True)
