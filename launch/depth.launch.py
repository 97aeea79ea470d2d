# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Live depth from one camera.

ros2 launch depth_node depth.launch.py image:=/camera/image_raw rviz:=true
"""

from launch import LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.conditions import IfCondition
from launch.launch_context import LaunchContext
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("depth_node")
PARAMETERS = PathJoinSubstitution([SHARE, "config", "depth.yaml"])
RVIZ = [SHARE, "/rviz/", LaunchConfiguration("rviz_display"), ".rviz"]
SIM_TIME = ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool)
OVERRIDES = {"autostart": bool, "checkpoint": str}
"""Arguments that overrule the parameter file where they are given."""


def generate_launch_description() -> LaunchDescription:
    """The live node, and RViz where it is asked for."""
    return LaunchDescription(
        [
            argument("namespace", "", "namespace of the node and its topics"),
            argument("use_sim_time", "false", "take time from /clock (bags played with --clock, simulators)"),
            argument("params_file", PARAMETERS, "parameter file; copy the default one and change it"),
            argument("log_level", "info", "debug, info, warn, error or fatal"),
            argument("rviz", "false", "also start RViz with image, depth and semantic classes in colours, and cloud"),
            argument(
                "rviz_display", "depth", "depth: the cloud in the picture's colours; classes: in those of classes"
            ),
            argument("rviz_frame", "camera_optical_frame", "fixed frame of RViz: the frame_id of the camera's images"),
            argument("autostart", "", "true: configure and activate at start; false: wait; empty: as params_file says"),
            argument("image", "image", "topic of the camera's images (for compressed ones without /compressed)"),
            argument("camera_info", "camera_info", "topic of the camera's calibration; as it is: beside the images"),
            argument("lidar", "lidar/points", "topic of a lidar's clouds, for metres (scale.source)"),
            argument("scan", "scan", "topic of a laser scanner, for metres"),
            argument("range", "range", "topic of a range finder, for metres"),
            argument("odom", "odom", "topic of odometry, for metres"),
            argument("checkpoint", "", "a *.safetensors checkpoint, or a name as in params_file; empty: as it says"),
            # Substitutions cannot leave a parameter out.
            OpaqueFunction(function=lambda context: [depth_node(given_overrides(context))]),
            Node(
                package="rviz2",
                executable="rviz2",
                name="depth_rviz",
                namespace=LaunchConfiguration("namespace"),
                arguments=["-d", RVIZ, "-f", LaunchConfiguration("rviz_frame")],
                parameters=[{"use_sim_time": SIM_TIME}],
                remappings=[("image", LaunchConfiguration("image"))],
                condition=IfCondition(LaunchConfiguration("rviz")),
            ),
        ]
    )


def argument(name: str, default: object, description: str) -> DeclareLaunchArgument:
    """A launch argument that `ros2 launch --show-args` explains."""
    return DeclareLaunchArgument(name, default_value=default, description=description)


def given_overrides(context: LaunchContext) -> dict[str, ParameterValue]:
    """The overrides that are not empty."""
    given = [name for name in OVERRIDES if LaunchConfiguration(name).perform(context)]
    return {name: ParameterValue(LaunchConfiguration(name), value_type=OVERRIDES[name]) for name in given}


def depth_node(overrides: dict[str, ParameterValue]) -> LaunchDescriptionEntity:
    """The live node; everything ends with it."""
    return LifecycleNode(
        package="depth_node",
        executable="depth_node",
        name="depth_node",
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file"), {"use_sim_time": SIM_TIME, **overrides}],
        remappings=[
            ("image", LaunchConfiguration("image")),
            ("camera_info", LaunchConfiguration("camera_info")),
            ("lidar/points", LaunchConfiguration("lidar")),
            ("scan", LaunchConfiguration("scan")),
            ("range", LaunchConfiguration("range")),
            ("odom", LaunchConfiguration("odom")),
        ],
        ros_arguments=["--log-level", LaunchConfiguration("log_level")],
        output="screen",
        on_exit=Shutdown(reason="depth_node has ended"),
    )
