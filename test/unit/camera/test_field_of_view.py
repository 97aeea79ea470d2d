# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A camera made of its field of view."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.camera.field_of_view import pinhole_camera
from depth_node.camera.network_view import TrainingCamera
from depth_node.camera.rectification import Rectifier


@pytest.mark.parametrize("degrees", [10.0, 60.0, 90.0, 150.0])
def test_it_sees_what_was_said(degrees):
    camera = pinhole_camera(64, 48, degrees)
    K = camera.K
    training = TrainingCamera(64, 48, K[0, 0], K[1, 1], K[0, 2], K[1, 2])
    assert training.degrees == pytest.approx(degrees)
    assert (K[0, 0], K[0, 2], K[1, 2]) == (K[1, 1], 31.5, 23.5)
    assert pinhole_camera(64, 48, 90.0).K[0, 0] == pytest.approx(32.0)


def test_its_pictures_stay_as_they_are():
    rectifier = Rectifier(pinhole_camera(64, 48, 60.0))
    assert rectifier.is_identity
    np.testing.assert_allclose(rectifier.K, pinhole_camera(64, 48, 60.0).K)
