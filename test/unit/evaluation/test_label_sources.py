# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where labels come from, and what is said when they are not there."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from depth_node.config.classes import CAMVID, CITYSCAPES
from depth_node.config.evaluation import EvaluationConfig
from depth_node.errors import ConfigError, EvaluationError, SequenceError
from depth_node.evaluation.label_sources import LabelPictures, SimulatedLabels, labels_at, open_labels
from depth_node.simulation import ground_truth as simulated

LABELS = np.array([[0, 13, 255], [10, 1, 2]], np.uint8)


@pytest.fixture
def labelled(measured_drive):
    path = measured_drive.label_path(2)
    path.parent.mkdir(parents=True)
    cv2.imwrite(str(path), LABELS)
    return measured_drive


@pytest.fixture
def truth(tmp_path):
    simulated.write_labels(simulated.labels_path(tmp_path / "truth", 1), LABELS[::-1])
    return tmp_path / "truth"


def test_label_pictures(labelled):
    labels = open_labels(labelled, EvaluationConfig())
    assert isinstance(labels, LabelPictures)
    assert [labels.has(index) for index in range(4)] == [False, False, True, False]
    np.testing.assert_array_equal(labels.read(2), LABELS)
    assert labels.classes == CITYSCAPES.names
    assert open_labels(labelled, EvaluationConfig(classes="camvid")).classes == CAMVID.names


def test_exact_labels_come_first(labelled, truth):
    labels = open_labels(labelled, EvaluationConfig(), truth)
    assert isinstance(labels, SimulatedLabels)
    assert [labels.has(index) for index in range(4)] == [False, True, False, False]
    np.testing.assert_array_equal(labels.read(1), LABELS[::-1])
    assert isinstance(open_labels(labelled, EvaluationConfig(labels="png"), truth), LabelPictures)


def test_no_labels_are_no_error_unless_asked_for(measured_drive, labelled, tmp_path):
    assert open_labels(labelled, EvaluationConfig(labels="none")) is None
    labelled.label_path(2).unlink()
    assert open_labels(measured_drive, EvaluationConfig(), tmp_path) is None


@pytest.mark.parametrize(
    ("kind", "says"), [("png", r"needs semantic/image_02/\*.png"), ("simulation", "needs labels in --ground_truth_dir")]
)
def test_labels_that_were_asked_for_and_are_not_there(measured_drive, kind, says, tmp_path):
    for folder in (None, tmp_path):
        with pytest.raises(EvaluationError, match=f"no labels for any of its 4 frames: {says}"):
            open_labels(measured_drive, EvaluationConfig(labels=kind), folder)


def test_an_unknown_class_map(labelled):
    with pytest.raises(ConfigError, match="unknown class map 'cityscape'"):
        open_labels(labelled, EvaluationConfig(classes="cityscape"))


def test_a_picture_that_is_no_label_map(labelled):
    for image in (np.zeros((2, 3, 3), np.uint8), np.zeros((2, 3), np.uint16)):
        cv2.imwrite(str(labelled.label_path(2)), image)
        with pytest.raises(SequenceError, match="one channel of 8 bits"):
            LabelPictures(labelled).read(2)
    with pytest.raises(SequenceError, match="cannot read picture"):
        LabelPictures(labelled).read(0)


def test_palette_pictures_are_read_as_their_grey_twins(labelled):
    path = labelled.label_path(2)
    numbers = np.array([[0, 13, 255], [7, 7, 1]], np.uint8)
    with_colors = Image.fromarray(numbers, mode="P")
    with_colors.putpalette([value for number in range(256) for value in (255 - number, number, 7)])
    with_colors.save(path)
    np.testing.assert_array_equal(LabelPictures(labelled).read(2), numbers)
    Image.fromarray(numbers).save(path)
    np.testing.assert_array_equal(LabelPictures(labelled).read(2), numbers)


def test_labels_are_resized_by_the_nearest_pixel():
    assert labels_at(LABELS, 2, 3) is LABELS
    np.testing.assert_array_equal(labels_at(LABELS, 4, 6), np.kron(LABELS, np.ones((2, 2), np.uint8)))
    assert set(labels_at(LABELS, 5, 7).ravel()) <= set(LABELS.ravel())
