# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Live depth for Nav2, and Nav2 with a costmap that marks and clears by it.

ros2 launch depth_node nav2.launch.py image:=/camera/image_raw checkpoint:=best.safetensors nav2_params:=my_robot.yaml
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import yaml
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, LogInfo, OpaqueFunction
from launch.launch_context import LaunchContext
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("depth_node")
COSTMAP = PathJoinSubstitution([SHARE, "config", "nav2_voxel.yaml"])
PASSED_ON = ("namespace", "use_sim_time", "image", "camera_info", "checkpoint")
"""Arguments of depth.launch.py."""
WITHOUT_NAV2 = (
    "nav2_bringup is not installed, so that depth_node is started alone: apt install ros-$ROS_DISTRO-nav2-bringup, or "
    "give your own Nav2 the parameters in "
)


def generate_launch_description() -> LaunchDescription:
    """The live node with the cloud that costmaps want, and Nav2 where it is installed."""
    return LaunchDescription(
        [
            argument("namespace", "", "namespace of all nodes and topics"),
            argument("use_sim_time", "false", "take time from /clock (bags played with --clock, simulators)"),
            argument("image", "image", "topic of the camera's images (for compressed ones without /compressed)"),
            argument("camera_info", "camera_info", "topic of the camera's calibration; as it is: beside the images"),
            argument("checkpoint", "", "a *.safetensors checkpoint, an exported *.onnx, or a name; empty: the default"),
            argument("costmap", COSTMAP, "parameters laid over Nav2's; nav2_semantic.yaml beside it adds classes"),
            argument("nav2_params", "", "your robot's Nav2 parameters; empty: those that nav2_bringup comes with"),
            argument("nav2", "true", "also start Nav2's navigation; false: the live node alone"),
            IncludeLaunchDescription(
                PathJoinSubstitution([SHARE, "launch", "depth.launch.py"]),
                launch_arguments=[
                    *((name, LaunchConfiguration(name)) for name in PASSED_ON),
                    ("points.preset", "obstacles"),
                ],
            ),
            OpaqueFunction(function=navigation),
        ]
    )


def argument(name: str, default: object, description: str) -> DeclareLaunchArgument:
    """A launch argument that `ros2 launch --show-args` explains."""
    return DeclareLaunchArgument(name, default_value=default, description=description)


def navigation(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """Nav2 with the costmap's parameters laid over the robot's, or one line where it is not installed."""

    def given(name: str) -> str:
        return str(LaunchConfiguration(name).perform(context))

    if given("nav2").lower() not in ("true", "1"):
        return []
    try:
        bringup = Path(get_package_share_directory("nav2_bringup"))
    except PackageNotFoundError:
        return [LogInfo(msg=WITHOUT_NAV2 + given("costmap"))]
    base = Path(given("nav2_params") or bringup / "params/nav2_params.yaml")
    merged = laid_over(*(yaml.safe_load(path.read_text()) for path in (base, Path(given("costmap")))))
    with tempfile.NamedTemporaryFile("w", prefix="nav2_depth_", suffix=".yaml", delete=False) as file:
        yaml.safe_dump(merged, file)
    arguments = [("params_file", file.name), *((name, given(name)) for name in ("namespace", "use_sim_time"))]
    include = IncludeLaunchDescription(str(bringup / "launch/navigation_launch.py"), launch_arguments=arguments)
    return [LogInfo(msg=f"Nav2 runs by {base} and, over it, {given('costmap')}: {file.name}"), include]


def laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Nested parameters, those of `above` winning."""
    merged = dict(below)
    for name, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(name), dict)
        merged[name] = laid_over(merged[name], value) if both else value
    return merged
