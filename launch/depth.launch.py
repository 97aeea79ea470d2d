# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Live depth from one camera; multi_camera.launch.py is for several.

ros2 launch depth_node depth.launch.py image:=/camera/image_raw rviz:=true
"""

from launch import LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.conditions import IfCondition
from launch.events.process import ProcessExited
from launch.launch_context import LaunchContext
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("depth_node")
PARAMETERS = PathJoinSubstitution([SHARE, "config", "depth.yaml"])
RVIZ = [SHARE, "/rviz/", LaunchConfiguration("rviz_display"), ".rviz"]
SIM_TIME = ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool)
OVERRIDES = {
    "autostart": ("autostart", bool),
    "checkpoint": ("checkpoint", str),
    "backend": ("backend", str),
    "device": ("device", str),
    "image_transport": ("image_transport", str),
    "scale_source": ("scale.source", str),
    "camera_height": ("scale.camera_height", float),
    "cameras": ("cameras", str),
    "points.preset": ("points.preset", str),
}
"""Arguments that overrule the parameter file where they are given: the parameter of each, and its type."""


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
                "rviz_display",
                "depth",
                "depth: the cloud in the picture's colours; classes: in those of classes",
                choices=["depth", "classes"],
            ),
            argument("rviz_frame", "camera_optical_frame", "fixed frame of RViz: the frame_id of the camera's images"),
            argument("autostart", "", "true: configure and activate at start; false: wait; empty: as params_file says"),
            argument("image", "image", "topic of the camera's images (for compressed ones without /compressed)"),
            argument("camera_info", "camera_info", "topic of the camera's calibration; as it is: beside the images"),
            argument("lidar", "lidar/points", "topic of a lidar's clouds, for metres (scale.source)"),
            argument("scan", "scan", "topic of a laser scanner, for metres"),
            argument("range", "range", "topic of a range finder, for metres"),
            argument("odom", "odom", "topic of odometry, for metres"),
            argument(
                "checkpoint",
                "",
                "a *.safetensors checkpoint, an exported *.onnx, or a name; empty: as params_file says",
            ),
            argument(
                "backend", "", "what computes the network: auto, torch, openvino, onnxruntime; empty: as params_file"
            ),
            argument("device", "", "where it runs: auto, cpu or cuda; empty: as params_file says"),
            argument("image_transport", "", "images as they come: auto, raw or compressed; empty: as params_file says"),
            argument("scale_source", "", "what says how long a metre is (scale.source); empty: as params_file says"),
            argument(
                "camera_height", "", "metres of the camera above the road, for metres; empty: as params_file says"
            ),
            argument("cameras", "", "several cameras, commas between their names; empty: as params_file says"),
            argument("points.preset", "", "full, or obstacles for Nav2's layers; empty: as params_file says"),
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


def argument(name: str, default: object, description: str, choices: list[str] | None = None) -> DeclareLaunchArgument:
    """A launch argument that `ros2 launch --show-args` explains."""
    return DeclareLaunchArgument(name, default_value=default, description=description, choices=choices)


def given_overrides(context: LaunchContext) -> dict[str, ParameterValue]:
    """The overrides that are not empty."""
    given = [(name, *OVERRIDES[name]) for name in OVERRIDES if LaunchConfiguration(name).perform(context)]
    return {parameter: ParameterValue(LaunchConfiguration(name), value_type=kind) for name, parameter, kind in given}


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
        on_exit=end,
    )


def end(_: ProcessExited, context: LaunchContext) -> Shutdown | None:
    """End all with the node, unless that is under way already: launch cannot be shut down twice."""
    return None if context.is_shutdown else Shutdown(reason="depth_node has ended")
