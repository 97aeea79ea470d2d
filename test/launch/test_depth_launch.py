# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The launch file, wherever launch_ros is installed."""

import importlib.util
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LAUNCH = ROOT / "launch/depth.launch.py"
ARGUMENTS = ("namespace", "use_sim_time", "params_file", "log_level", "rviz", "autostart", "image", "camera_info")


@pytest.fixture
def module():
    pytest.importorskip("launch_ros", reason="launch_ros is not on PyPI; install ROS 2 to run this")
    spec = importlib.util.spec_from_file_location("depth_launch", LAUNCH)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_every_argument_is_declared_and_described(module):
    from launch.actions import DeclareLaunchArgument

    entities = module.generate_launch_description().entities
    declared = {entity.name: entity for entity in entities if isinstance(entity, DeclareLaunchArgument)}
    assert {*ARGUMENTS, "checkpoint"} <= set(declared)
    for argument in declared.values():
        assert len(argument.description) > 10
        assert argument.default_value is not None


def start(module, **given):
    """The nodes that these arguments start, as (executable, command line)."""
    from launch.actions import DeclareLaunchArgument

    from launch import LaunchContext

    context = LaunchContext()
    context.launch_configurations.update(given)
    for entity in module.generate_launch_description().entities:
        if isinstance(entity, DeclareLaunchArgument):
            entity.execute(context)
    return context, module.start_nodes(context)


def test_only_given_arguments_overrule_the_parameter_file(module):
    context, (node, _) = start(module)
    node._perform_substitutions(context)
    files = [Path(name) for name, _ in node._Node__expanded_parameter_arguments]
    assert files[0] == ROOT / "config/depth.yaml"
    assert yaml.safe_load(files[1].read_text()) == {"/**": {"ros__parameters": {"use_sim_time": False}}} or (
        "checkpoint" not in files[1].read_text()
    )
    context, (node, _) = start(module, checkpoint="/my.safetensors", autostart="false", namespace="front")
    node._perform_substitutions(context)
    text = Path(node._Node__expanded_parameter_arguments[1][0]).read_text()
    assert "/my.safetensors" in text
    assert "autostart: false" in text
    assert node.node_name == "/front/depth_node"


def test_rviz_only_when_asked_for(module):
    for given, wanted in ({}, False), ({"rviz": "true"}, True):
        context, (_, rviz) = start(module, **given)
        assert rviz.condition.evaluate(context) is wanted


def test_the_rviz_file_shows_what_the_node_publishes():
    tree = yaml.safe_load((ROOT / "rviz/depth.rviz").read_text())
    displays = {d["Class"].split("/")[1]: d for d in tree["Visualization Manager"]["Displays"]}
    topics = {d["Topic"]["Value"] for d in tree["Visualization Manager"]["Displays"] if "Topic" in d}
    assert {"Image", "PointCloud2"} <= set(displays)
    assert topics == {"image", "depth/image_color", "semantic/image_color", "depth/points"}
    assert displays["PointCloud2"]["Color Transformer"] == "RGB8"
    assert displays["PointCloud2"]["Channel Name"] == "label"  # what the Intensity transformer would show
    assert tree["Visualization Manager"]["Global Options"]["Fixed Frame"].endswith("_optical_frame")
