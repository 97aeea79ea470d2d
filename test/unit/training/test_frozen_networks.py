# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A teacher's depth and scale, as a student takes them over."""

import dataclasses
import shutil

import pytest
import torch

from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth import read_info, restate
from depth_node.training.frozen_networks import Teacher

CAMERA = TrainingCamera(128, 64, 74.0, 123.0, 63.5, 31.5)


@pytest.fixture
def teacher_with(small_checkpoint, tmp_path):
    """A function that makes the small network (10 m per unit) the teacher, with a camera."""

    def make(camera):
        path = tmp_path / "teacher.safetensors"
        shutil.copy(small_checkpoint, path)
        restate(path, dataclasses.replace(read_info(path), camera=camera))
        return Teacher(path)

    return make


def test_depth_has_the_pictures_size(small_checkpoint):
    depth = Teacher(small_checkpoint).depth(torch.rand(2, 3, 96, 160))
    assert depth.shape == (2, 1, 96, 160)
    assert (depth > 0).all()
    assert not depth.requires_grad


def test_the_scale_goes_over_to_the_same_view_at_any_size(teacher_with):
    twice = TrainingCamera(256, 128, 148.0, 246.0, 127.5, 63.5)
    assert teacher_with(CAMERA).scale(twice) == (10.0, "ground_truth")
    assert teacher_with(None).scale(twice) == (10.0, "ground_truth")


def test_what_looks_larger_is_farther_than_it_seems(teacher_with):
    longer = TrainingCamera(128, 64, 1.5 * CAMERA.fx, 1.5 * CAMERA.fy, 63.5, 31.5)
    assert teacher_with(CAMERA).scale(longer) == (pytest.approx(15.0), "ground_truth")


def test_the_scale_stays_behind_where_pictures_are_squeezed_differently(teacher_with):
    squeezed = TrainingCamera(128, 64, 1.5 * CAMERA.fx, CAMERA.fy, 63.5, 31.5)
    assert teacher_with(CAMERA).scale(squeezed) == (1.0, "none")
