# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which nodes are taken for live ones, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("rerun", reason="rerun is not installed: pip install 'depth_node[view]'")
from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from depth_node.ros.view.graph_view import in_namespace, in_words, live_namespaces, steady_far


def test_a_live_node_publishes_depth_and_confidence():
    topics = ["/depth/image_rect", "/depth/confidence", "/front/left/depth/image_rect", "/front/left/depth/confidence"]
    others = ["/realsense/depth/image_rect", "/x/depth/confidence", "/rgb/image_rect"]
    assert live_namespaces([(name, ["any"]) for name in topics + others]) == ["/", "/front/left"]


def test_a_status_belongs_to_a_namespace():
    assert in_namespace("front/depth_node", "/front")
    assert in_namespace("depth_node", "/")
    assert not in_namespace("front/depth_node", "/")
    assert in_namespace("depth_node: front", "/front")
    assert in_namespace("car/depth_node: front", "/car/front")
    assert not in_namespace("car/depth_node: front", "/car")


def test_a_state_is_told_in_words():
    values = [("rate [Hz]", "9.8"), ("dropped: too old", "3"), ("stage cloud [ms]", "1.2")]
    status = DiagnosticStatus(level=DiagnosticStatus.WARN, name="depth_node", message="slow")
    status.values = [KeyValue(key=key, value=value) for key, value in values]
    text = in_words({"depth_node": status})
    assert text.splitlines() == ["**depth_node**, warning: slow", "", "* rate [Hz]: 9.8", "* dropped: too old: 3"]


def test_the_colours_move_slowly():
    depth = np.full((40, 40), 20.0, np.float32)
    depth[:4] = np.inf
    assert steady_far(depth, 0.0) == 20.0
    assert steady_far(depth * 2, 20.0) == pytest.approx(22.0)
    assert steady_far(np.full((8, 8), np.nan, np.float32), 30.0) == 30.0
