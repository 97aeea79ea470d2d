# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Live depth from one camera.

ros2 launch depth_node depth.launch.py image:=/camera/image_raw camera_info:=/camera/camera_info rviz:=true
"""

from pathlib import Path

from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

SHARE = Path(__file__).parents[1]
ARGUMENTS = {
    "namespace": ("", "namespace of the node and its topics"),
    "use_sim_time": ("false", "take time from /clock (bags played with --clock, simulators)"),
    "params_file": (str(SHARE / "config" / "depth.yaml"), "parameter file; copy the default one and change it"),
    "log_level": ("info", "debug, info, warn, error or fatal"),
    "rviz": ("false", "also start RViz with image, depth and semantic classes in colours, and cloud"),
    "rviz_frame": ("camera_optical_frame", "fixed frame of RViz: the frame_id of the camera's images"),
    "autostart": ("", "true: configure and activate at start; false: wait for a manager; empty: as params_file says"),
    "image": ("image", "topic of the camera's images (for compressed ones without /compressed)"),
    "camera_info": ("camera_info", "topic of the camera's calibration"),
    "checkpoint": ("", "path of a *.safetensors checkpoint, or 'default'; empty: as params_file says"),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the node."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=start_nodes)])


def start_nodes(context) -> list:
    """The live node, and RViz if asked for. Only arguments that were given overrule the parameter file."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    parameters = {"use_sim_time": is_true(value["use_sim_time"])}
    if value["autostart"]:
        parameters["autostart"] = is_true(value["autostart"])
    if value["checkpoint"]:
        parameters["checkpoint"] = value["checkpoint"]
    depth = Node(
        **executable(),
        name="depth_node",
        namespace=value["namespace"],
        parameters=[value["params_file"], parameters],
        remappings=[("image", value["image"]), ("camera_info", value["camera_info"])],
        arguments=["--ros-args", "--log-level", value["log_level"]],
        output="screen",
        on_exit=Shutdown(reason="depth_node has ended"),
    )
    rviz = Node(
        package="rviz2",
        executable="rviz2",
        name="depth_rviz",
        namespace=value["namespace"],
        arguments=["-d", str(SHARE / "rviz" / "depth.rviz"), "-f", value["rviz_frame"]],
        parameters=[{"use_sim_time": parameters["use_sim_time"]}],
        remappings=[("image", value["image"])],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )
    return [depth, rviz]


def executable() -> dict:
    """Where the node is: lib/depth_node of a colcon install, or bin of a pip install."""
    prefix = SHARE.parents[1]
    in_bin = prefix / "bin" / "depth_node"
    if in_bin.exists() and not (prefix / "lib" / "depth_node" / "depth_node").exists():
        return {"executable": str(in_bin)}
    return {"package": "depth_node", "executable": "depth_node"}


def is_true(text: str) -> bool:
    """Whether a launch argument says yes."""
    return text.strip().lower() in ("true", "1", "yes", "on")
