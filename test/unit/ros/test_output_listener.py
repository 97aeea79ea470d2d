# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from depth_node.inference.pointcloud import CLOUD_DTYPE, LABELLED_CLOUD_DTYPE
from depth_node.ros.output_listener import fits

DEPTH = np.array([[1.5, np.inf, 3.0], [-np.inf, np.nan, 6.0]], np.float32)
LABELS = np.array([[0, 10, 2], [0, 0, 13]], np.uint8)


def cloud(kind):
    points = np.zeros((2, 3), kind)
    points["z"] = np.where(np.isfinite(DEPTH), DEPTH, np.nan)
    if "label" in kind.names:
        points["label"] = LABELS
    return points


def test_a_cloud_that_fits():
    assert fits(DEPTH, cloud(CLOUD_DTYPE))
    assert fits(DEPTH, cloud(CLOUD_DTYPE), LABELS)
    assert fits(DEPTH, cloud(LABELLED_CLOUD_DTYPE), LABELS)


@pytest.mark.parametrize(("field", "value"), [("z", 1.6), ("z", np.nan), ("label", 1)])
def test_a_cloud_that_does_not(field, value):
    points = cloud(LABELLED_CLOUD_DTYPE)
    points[field][0, 0] = value
    assert not fits(DEPTH, points, LABELS)


def test_labels_without_a_label_image_fit_nothing():
    assert not fits(DEPTH, cloud(LABELLED_CLOUD_DTYPE))


def test_a_point_in_the_sky_does_not_fit():
    points = cloud(LABELLED_CLOUD_DTYPE)
    points["z"][0, 1] = 80.0
    assert not fits(DEPTH, points, LABELS)
