# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A teacher in an ONNX file: its answer, by numbers that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.config.teacher import TeacherConfig
from depth_node.errors import TeacherError
from depth_node.teachers.onnx_file import OnnxTeacher

K = np.array([[120.0, 0, 60], [0, 120, 30], [0, 0, 1]])


def picture(red=0, blue=0, height=60, width=120):
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0], image[..., 2] = red, blue
    return image


def depth_of(red):
    """10 + 2 times the normalised red."""
    return 10 + 2 * (red / 255 - 0.485) / 0.229


def test_pixels_are_normalised_and_metres_taken_as_they_come(onnx_teacher):
    teacher = OnnxTeacher(onnx_teacher(), TeacherConfig())
    assert teacher.gives == "depth"
    found = teacher(picture(red=255), K)
    assert found.shape == (28, 56)
    assert found == pytest.approx(np.full((28, 56), depth_of(255)), rel=1e-5)


def test_metres_follow_the_focal_length_at_the_teachers_size(onnx_teacher):
    teacher = OnnxTeacher(onnx_teacher(), TeacherConfig(focal=300.0))
    # The camera's 120 px of 120 are 56 of 56.
    assert teacher(picture(red=255), K) == pytest.approx(np.full((28, 56), depth_of(255) * 56 / 300), rel=1e-5)


def test_the_sky_is_infinitely_far(onnx_teacher):
    image = picture()
    image[:30, :, 2] = 255
    found = OnnxTeacher(onnx_teacher(), TeacherConfig())(image, K)
    assert np.isposinf(found[:13]).all()
    assert np.isfinite(found[15:]).all()
    without = OnnxTeacher(onnx_teacher("plain.onnx", sky=False), TeacherConfig())(image, K)
    assert np.isfinite(without).all()


def test_free_sizes_are_multiples_of_fourteen_in_the_pictures_shape(onnx_teacher):
    path = onnx_teacher(shape=(1, 3, "height", "width"))
    found = OnnxTeacher(path, TeacherConfig(width=145))(picture(), K)
    assert found.shape == (70, 140)


def test_who_it_is(onnx_teacher):
    origin = OnnxTeacher(onnx_teacher(licence="CC-BY-NC-4.0"), TeacherConfig()).origin
    assert (origin.name, origin.licence) == ("onnx:teacher.onnx", "CC-BY-NC-4.0")
    assert len(origin.revision) == 12
    with pytest.raises(TeacherError, match=r"licence of onnx:teacher\.onnx is CC-BY-NC-4.0.*accept_license"):
        origin.check(accepted=False)
    origin.check(accepted=True)
    unknown = OnnxTeacher(onnx_teacher(licence=""), TeacherConfig()).origin
    with pytest.raises(TeacherError, match=r"nothing says what the licence of onnx:teacher\.onnx is"):
        unknown.check(accepted=False)


def test_what_is_no_teacher_is_one_line(onnx_teacher, tmp_path):
    with pytest.raises(TeacherError, match=r"cannot read .*: No such file"):
        OnnxTeacher(tmp_path / "missing.onnx", TeacherConfig())
    (tmp_path / "text.onnx").write_text("hello")
    pytest.importorskip("onnxruntime")
    with pytest.raises(TeacherError, match="cannot be run as ONNX") as caught:
        OnnxTeacher(tmp_path / "text.onnx", TeacherConfig())
    assert "\n" not in str(caught.value)
