# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the demonstration tells about a drive: numbers that are right, with and without semantic classes."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.config.classes import CAMVID, CITYSCAPES, UNLABELLED
from depth_node.demo.chain import DriveResult
from depth_node.demo.report import measure
from depth_node.simulation.ground_truth import depth_path, labels_path, write_depth, write_labels, write_text

STAMPS = (100, 200)
HEIGHT, WIDTH = 64, 192
K = np.array([[150.0, 0, 95.5], [0, 150, 31.5], [0, 0, 1]])
SKY = CITYSCAPES.index("sky")


@pytest.fixture
def truth(tmp_path):
    """A wall at 20 m under the sky."""
    folder = tmp_path / "ground_truth"
    depth = np.full((HEIGHT, WIDTH), 20.0, np.float32)
    labels = np.full((HEIGHT, WIDTH), CITYSCAPES.index("wall"), np.uint8)
    depth[:16], labels[:16] = np.inf, SKY
    labels[60:] = UNLABELLED
    for frame in range(2):
        write_depth(depth_path(folder, frame), depth)
        write_labels(labels_path(folder, frame), labels)
    write_text(folder / "times.txt", "100\n200\n")
    return folder


def drive(folder, classes, misfits=()):
    """Depth 10 % too large at half the size; the left half of the labels is right."""
    labels = np.full((HEIGHT // 2, WIDTH // 2), 3, np.uint8)
    labels[:8], labels[:, WIDTH // 4 :] = SKY, 0
    depth = np.where(labels == SKY, np.inf, 22.0)
    for name, array in (("depth", depth.astype(np.float32)), ("labels", labels)):
        (folder / name).mkdir()
        for stamp in STAMPS:
            np.save(folder / name / f"{stamp}.npy", array)
    delays = np.array([0.1, 0.2])
    labelled = STAMPS if classes else ()
    return DriveResult(folder, 2, STAMPS, 2, dict.fromkeys(STAMPS, K), delays, 5.0, 2, misfits, labelled, classes)


def test_numbers_with_semantic_classes(truth, tmp_path):
    result = drive(tmp_path, CITYSCAPES, misfits=(200,))
    numbers = measure(result, truth)
    assert numbers.metric.abs_rel == pytest.approx(0.1, abs=1e-5)
    assert numbers.right_labels == pytest.approx(0.5)
    rows = dict(numbers.rows())
    assert rows["clouds equal to the images of their stamp"] == "1 of 2"
    assert rows["semantic images received"] == "2"
    assert rows["pixels with the right class"] == "50.0%"
    assert result.labels(100).shape == (HEIGHT // 2, WIDTH // 2)
    assert result.labels(300) is None


@pytest.mark.parametrize("classes", [None, CAMVID])
def test_classes_that_cannot_be_compared(truth, tmp_path, classes):
    numbers = measure(drive(tmp_path, classes), truth)
    assert numbers.right_labels is None
    assert ("semantic images received" in dict(numbers.rows())) == (classes is not None)
    assert "pixels with the right class" not in dict(numbers.rows())
