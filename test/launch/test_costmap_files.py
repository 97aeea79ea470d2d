# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What Nav2's costmaps are told to take: topics of the live node, and ranges that go with its preset."""

from __future__ import annotations

from pathlib import Path

import yaml

from depth_node.config.classes import CITYSCAPES
from depth_node.config.live import PointSettings

ROOT = Path(__file__).parents[2]


def test_the_costmaps_name_what_the_node_publishes():
    """Topics of the node, ranges that go with its preset, and every class of the legend once."""
    for name in ("nav2_voxel", "nav2_semantic"):
        tree = yaml.safe_load((ROOT / f"config/{name}.yaml").read_text())
        costmap = tree["local_costmap"]["local_costmap"]["ros__parameters"]
        assert all(plugin in costmap for plugin in costmap["plugins"] if plugin != "inflation_layer")
        cloud, points = costmap["depth_layer"]["depth_cloud"], PointSettings(preset="obstacles")
        assert cloud["topic"] == "/depth/points"
        assert cloud["obstacle_max_range"] < points.max_range < points.clear_range < cloud["raytrace_max_range"]
    camera = costmap["semantic_layer"]["camera"]
    assert camera["max_obstacle_distance"] < points.clear_range
    for topic in ("segmentation_topic", "labels_topic", "pointcloud_topic"):
        assert f'"{camera[topic].removeprefix("/")}"' in (ROOT / "depth_node/ros/live/topic_list.py").read_text()
    named = [each for kind in camera["class_types"] for each in camera[kind]["classes"]]
    assert sorted(named) == sorted(CITYSCAPES.names)
