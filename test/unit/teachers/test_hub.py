# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A teacher in the hub's layout, offline."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

pytest.importorskip("transformers", reason="transformers is not installed")
from depth_node.config.teacher import TeacherConfig
from depth_node.errors import TeacherError
from depth_node.teachers.hub import HubTeacher

K = np.array([[120.0, 0, 60], [0, 120, 30], [0, 0, 1]])
CONFIG = TeacherConfig(width=70, device="cpu")


def test_its_answer_is_the_models_own(hub_folder):
    import torch
    from transformers import DepthAnythingForDepthEstimation

    image = np.random.default_rng(0).integers(0, 256, (28, 70, 3), dtype=np.uint8)
    teacher = HubTeacher(str(hub_folder), CONFIG)
    assert teacher.gives == "inverse_depth"
    found = teacher(image, K)
    assert found.shape == (28, 70)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    pixels = torch.from_numpy(((image / 255 - mean) / std).transpose(2, 0, 1)[None]).float()
    model = DepthAnythingForDepthEstimation.from_pretrained(hub_folder).eval()
    with torch.no_grad():
        expected = model(pixel_values=pixels).predicted_depth[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_metres_follow_the_configuration_and_the_user(hub_folder):
    metric = HubTeacher(str(hub_folder), TeacherConfig(width=70, gives="depth", focal=35.0, device="cpu"))
    image = np.full((60, 120, 3), 90, np.uint8)
    inverse = HubTeacher(str(hub_folder), CONFIG)(image, K)
    found = metric(image, K)
    known = np.isfinite(found)
    assert known.any()
    # 120 px of 120 are 70 of 70: twice what it is told for.
    np.testing.assert_allclose(found[known], 2 * inverse[known], rtol=1e-5)
    assert (inverse[~known] <= 0).all()


def test_the_licence_is_the_model_cards(hub_folder, tmp_path):
    origin = HubTeacher(str(hub_folder), CONFIG).origin
    assert origin.licence == "apache-2.0"
    assert len(origin.revision) == 12
    origin.check(accepted=False)
    silent = tmp_path / "silent"
    shutil.copytree(hub_folder, silent)
    (silent / "README.md").unlink()
    assert HubTeacher(str(silent), CONFIG).origin.licence == ""


def test_no_model_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(TeacherError, match="cannot load the teacher hf:") as caught:
        HubTeacher(str(tmp_path), CONFIG)
    assert "\n" not in str(caught.value)
