# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A teacher's labels on disk: what was written is read, at the network's size, or one line says why not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from depth_node.datasets.teacher_labels import TeacherLabels
from depth_node.errors import SequenceError, TeacherError
from depth_node.kitti.formats import read_depth
from depth_node.kitti.layout import KittiSequence

DEPTH = {"name": "onnx:x.onnx", "revision": "1", "licence": "MIT", "gives": "depth"}


@pytest.fixture
def sequence(tmp_path):
    return KittiSequence(tmp_path / "data" / "2026_01_01" / "2026_01_01_drive_0001_sync")


@pytest.fixture
def labels(tmp_path):
    labels = TeacherLabels(tmp_path / "labels")
    labels.start(DEPTH)
    return labels


def test_metres_sky_and_nothing_come_back(labels, sequence):
    depth = np.array([[1.5, 80.0], [np.inf, np.nan], [500.0, 0.001]], np.float32)
    labels.write(sequence, 7, depth)
    found = labels.read(sequence, 7, 3, 2)
    assert found.shape == (1, 3, 2)
    assert found[0, 0].tolist() == [1.5, 80.0]
    assert found[0, 1, 0] == math.inf
    assert math.isnan(found[0, 1, 1])
    assert 255 < found[0, 2, 0] < 256  # as far as the format goes, and no sky
    assert 0 < found[0, 2, 1] < 0.01
    # Other tools read it, as KITTI's.
    path = labels.path(sequence, 7)
    assert path.relative_to(labels.folder).parts == (
        "2026_01_01", "2026_01_01_drive_0001_sync", "image_02", "0000000007.png",
    )  # fmt: skip
    assert read_depth(path)[0].tolist() == [1.5, 80.0]


def test_inverse_depth_is_stretched_over_the_format(tmp_path, sequence):
    labels = TeacherLabels(tmp_path / "labels")
    labels.start(DEPTH | {"gives": "inverse_depth"})
    labels.write(sequence, 0, np.array([[-3.0, 5.0], [1.0, np.nan]], np.float32))
    found = labels.read(sequence, 0, 2, 2)[0]
    assert found[0].tolist() == [0.0, 1.0]
    assert found[1, 0] == pytest.approx(0.5, abs=1e-4)
    assert math.isnan(found[1, 1])
    labels.write(sequence, 1, np.full((2, 2), 4.0, np.float32))  # the same everywhere
    assert labels.read(sequence, 1, 2, 2).isfinite().all()


def test_a_label_has_the_networks_size_and_no_depth_between_two(labels, sequence):
    depth = np.full((60, 100), 10.0, np.float32)
    depth[:, 50:] = 50.0
    labels.write(sequence, 0, depth)
    found = labels.read(sequence, 0, 32, 64)
    assert found.shape == (1, 32, 64)
    assert sorted(set(found.flatten().tolist())) == [10.0, 50.0]


def test_labels_of_two_teachers_do_not_mix(labels):
    labels.start(DEPTH)
    with pytest.raises(TeacherError, match=r"holds labels of onnx:x\.onnx, revision 1.*choose another --labels"):
        TeacherLabels(labels.folder).start(DEPTH | {"revision": "2"})


def test_what_is_no_label_is_one_line(labels, sequence, tmp_path):
    with pytest.raises(SequenceError, match=r"frame 3 .* has no label"):
        labels.read(sequence, 3, 2, 2)
    labels.write(sequence, 3, np.ones((4, 4), np.float32))
    path = labels.path(sequence, 3)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(SequenceError, match="is damaged: delete it"):
        labels.read(sequence, 3, 2, 2)
    with pytest.raises(TeacherError, match=r"holds no labels of a teacher: labels\.json is missing"):
        _ = TeacherLabels(tmp_path).gives
    (tmp_path / "labels.json").write_text("{")
    with pytest.raises(TeacherError, match="is damaged"):
        _ = TeacherLabels(tmp_path).gives
    (tmp_path / "labels.json").write_text('{"gives": "money"}')
    with pytest.raises(TeacherError, match="does not say what the labels are"):
        _ = TeacherLabels(tmp_path).gives
