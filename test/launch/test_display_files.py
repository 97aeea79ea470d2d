# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What RViz and Foxglove are told to show: topics of the live node, in words that they know."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
import yaml

pytest.importorskip("rclpy", reason="rclpy is not installed")
from depth_node.config.classes import CITYSCAPES
from depth_node.ros.live.outputs import CLASSES, SEMANTIC_TOPICS, TOPICS

ROOT = Path(__file__).parents[2]
RVIZ_FILES = sorted((ROOT / "rviz").glob("*.rviz"))
OWN = {*TOPICS, *SEMANTIC_TOPICS, CLASSES}

# Names of properties, as ros2/rviz has them at revision f7112b1 (2024-10-15): rviz_common/src/rviz_common/display.cpp,
# ros_topic_display.hpp, message_filter_display.hpp, properties/qos_profile_property.cpp, and of rviz_default_plugins
# displays/image/image_display.cpp, displays/pointcloud/point_cloud_common.cpp, .../transformers/*.cpp,
# displays/axes/axes_display.cpp, view_controllers/orbit/orbit_view_controller.cpp, tools/measure/measure_tool.cpp.
DISPLAY = {"Class", "Name", "Enabled", "Value"}
TOPIC = {"Value", "Depth", "History Policy", "Reliability Policy", "Durability Policy"}
DISPLAYS = {
    "rviz_default_plugins/Axes": {"Reference Frame", "Length", "Radius", "Show Trail", "Alpha"},
    "rviz_default_plugins/Image": {"Topic", "Normalize Range", "Min Value", "Max Value", "Median window"},
    "rviz_default_plugins/PointCloud2": {
        *("Topic", "Selectable", "Style", "Size (m)", "Size (Pixels)", "Alpha", "Decay Time"),
        *("Position Transformer", "Color Transformer"),
        *("Channel Name", "Use rainbow", "Invert Rainbow", "Min Color", "Max Color"),
        *("Autocompute Intensity Bounds", "Min Intensity", "Max Intensity"),
    },
}
TOOLS = {
    "rviz_default_plugins/MoveCamera": set(),
    "rviz_default_plugins/Select": set(),
    "rviz_default_plugins/FocusCamera": set(),
    "rviz_default_plugins/Measure": {"Line color"},
}
VIEWS = {
    "rviz_default_plugins/Orbit": {
        *("Name", "Value", "Target Frame", "Distance", "Focal Point", "Focal Shape Fixed Size", "Focal Shape Size"),
        *("Pitch", "Yaw", "Enable Stereo Rendering", "Invert Z Axis", "Near Clip Distance"),
    }
}
PANELS = {
    "rviz_common/Displays": {"Name", "Help Height", "Property Tree Widget", "Tree Height"},
    "rviz_common/Views": {"Name", "Expanded", "Splitter Ratio"},
}
CHOICES = {
    "Style": {"Points", "Squares", "Flat Squares", "Spheres", "Boxes", "Tiles"},
    "Color Transformer": {"RGB8", "RGBF32", "Intensity", "AxisColor", "FlatColor"},
    "Position Transformer": {"XYZ"},
    "History Policy": {"System Default", "Keep Last", "Keep All"},
    "Reliability Policy": {"System Default", "Reliable", "Best Effort"},
    "Durability Policy": {"System Default", "Volatile", "Transient Local"},
}


def displays(path):
    return yaml.safe_load(path.read_text())["Visualization Manager"]["Displays"]


def cloud(path):
    (found,) = [display for display in displays(path) if display["Class"].endswith("/PointCloud2")]
    return found


def test_there_are_two_displays():
    assert [path.name for path in RVIZ_FILES] == ["classes.rviz", "depth.rviz"]


@pytest.mark.parametrize("path", RVIZ_FILES, ids=lambda path: path.name)
def test_rviz_knows_every_class_and_property(path):
    tree = yaml.safe_load(path.read_text())
    manager = tree["Visualization Manager"]
    parts = [
        *((display, DISPLAYS, DISPLAY) for display in manager["Displays"]),
        *((tool, TOOLS, {"Class"}) for tool in manager["Tools"]),
        (manager["Views"]["Current"], VIEWS, {"Class"}),
        *((panel, PANELS, {"Class"}) for panel in tree["Panels"]),
    ]
    for part, known, always in parts:
        assert set(part) - always <= known[part["Class"]], part["Class"]
    assert set(manager["Global Options"]) <= {"Fixed Frame", "Background Color", "Frame Rate"}


@pytest.mark.parametrize("path", RVIZ_FILES, ids=lambda path: path.name)
def test_rviz_has_every_choice_among_its_options(path):
    for display in displays(path):
        topic = display.get("Topic", {})
        assert set(topic) <= TOPIC | ({"Filter size"} if display["Class"].endswith("/PointCloud2") else set())
        for name, value in {**display, **topic}.items():
            assert value in CHOICES.get(name, [value]), (display["Name"], name)


@pytest.mark.parametrize("path", RVIZ_FILES, ids=lambda path: path.name)
def test_rviz_shows_what_the_node_publishes(path):
    topics = {display["Topic"]["Value"] for display in displays(path) if "Topic" in display}
    assert topics - {"image"} <= OWN  # `image` is the camera's own
    assert {"image", "depth/points", "semantic/image_color"} <= topics
    assert cloud(path)["Channel Name"] == "label"
    manager = yaml.safe_load(path.read_text())["Visualization Manager"]
    assert manager["Global Options"]["Fixed Frame"].endswith("_optical_frame")


def test_one_shows_colours_and_the_other_classes():
    assert cloud(ROOT / "rviz/depth.rviz")["Color Transformer"] == "RGB8"
    classes = cloud(ROOT / "rviz/classes.rviz")
    assert classes["Color Transformer"] == "Intensity"
    assert not classes["Autocompute Intensity Bounds"]  # else a class would change its colour with what is in view
    assert (classes["Min Intensity"], classes["Max Intensity"]) == (0, len(CITYSCAPES) - 1)


LAYOUT = ROOT / "foxglove/depth_node.json"
# A layout file: the panels' settings by `TYPE!name`, and a tree of splits whose leaves are these names (LayoutData and
# the panels' types of Lichtblick, packages/suite-base/src/panels/index.ts, at revision 9554e1e).
LAYOUT_PARTS = {"configById", "globalVariables", "userNodes", "playbackConfig", "layout"}
PANEL_TYPES = {"3D", "Image", "DiagnosticSummary", "DiagnosticStatusPanel"}
IN_THE_SDK = {
    "3D": "ThreeDeeConfig",
    "Image": "ImageConfig",
    "DiagnosticSummary": "DiagnosticsSummaryConfig",
    "DiagnosticStatusPanel": "DiagnosticsDetailConfig",
}
"""The class of foxglove.layouts that describes a panel's settings."""


def layout():
    return json.loads(LAYOUT.read_text())


def leaves(tree):
    if isinstance(tree, str):
        return [tree]
    assert set(tree) == {"direction", "splitPercentage", "first", "second"}
    assert tree["direction"] in ("row", "column")
    assert 0 < tree["splitPercentage"] < 100
    return [*leaves(tree["first"]), *leaves(tree["second"])]


def topics_in(config):
    """Every topic of a panel's settings."""
    mode = config.get("imageMode", {})
    named = [mode.get("imageTopic"), mode.get("calibrationTopic"), config.get("topicToRender")]
    return {topic for topic in (*named, *config.get("topics", {})) if topic}


def test_a_foxglove_layout_has_each_panel_at_one_place():
    file = layout()
    assert set(file) == LAYOUT_PARTS
    assert sorted(leaves(file["layout"])) == sorted(file["configById"])
    assert {name.partition("!")[0] for name in file["configById"]} == PANEL_TYPES


def test_foxglove_shows_what_the_node_publishes():
    topics = set.union(*(topics_in(config) for config in layout()["configById"].values()))
    assert topics <= {f"/{topic}" for topic in OWN} | {"/diagnostics"}
    assert {"/rgb/image_rect", "/depth/image_rect", "/depth/points", "/diagnostics"} <= topics


def test_foxglove_knows_every_setting():
    """Against the classes of Foxglove's own SDK, where it is installed."""
    known = pytest.importorskip("foxglove.layouts", reason="foxglove-sdk is not installed")

    def check(config, kind):
        fields = {field.name for field in dataclasses.fields(kind)}
        empty = kind(**{field.name: None for field in dataclasses.fields(kind)})
        assert set(config) <= set(empty._to_dict()), kind.__name__
        return fields

    for name, config in layout()["configById"].items():
        check(config, getattr(known, IN_THE_SDK[name.partition("!")[0]]))
        if "imageMode" in config:
            check(config["imageMode"], known.ImageModeConfig)
        if "cameraState" in config:
            check(config["cameraState"], known.ThreeDeeCameraState)
            check(config["topics"]["/depth/points"], known.BaseRendererPointCloudTopicSettings)
            check(config["topics"]["/depth/camera_info"], known.BaseRendererCameraTopicSettings)
            check(config["scene"], known.BaseRendererSceneSettings)
