# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Live depth from several cameras, with one network for all.

ros2 launch depth_node multi_camera.launch.py cameras:=front,rear images:=/{camera}/image_raw rviz:=true
"""

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity
from launch.actions import DeclareLaunchArgument, GroupAction, IncludeLaunchDescription, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node, SetRemap
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("depth_node")
RVIZ = [SHARE, "/rviz/", LaunchConfiguration("rviz_display", default="depth"), ".rviz"]
SHOWN = ("depth/image_color", "semantic/image_color", "depth/points")
"""What RViz shows besides the image."""


def generate_launch_description() -> LaunchDescription:
    """The live node with a remapping for each camera, and RViz for one of them where it is asked for."""
    pattern = "{camera} stands for a name"
    return LaunchDescription(
        [
            argument(
                "cameras", "front,rear", "names of the cameras, commas between them: their outputs begin with these"
            ),
            argument("images", "{camera}/image_raw", f"topic of each camera's images; {pattern}"),
            argument("camera_infos", "", f"topic of each camera's calibration, {pattern}; empty: beside its images"),
            argument("rviz", "false", "also start RViz with the pictures and the cloud of rviz_camera"),
            argument("rviz_camera", "", "which camera RViz shows; empty: the first"),
            argument("rviz_frame", "", "fixed frame of RViz; empty: CAMERA_optical_frame of the camera it shows"),
            GroupAction(
                [
                    OpaqueFunction(function=remappings),
                    IncludeLaunchDescription(
                        PathJoinSubstitution([SHARE, "launch", "depth.launch.py"]),
                        launch_arguments={"rviz": "false", "cameras": LaunchConfiguration("cameras")}.items(),
                    ),
                ]
            ),
            OpaqueFunction(function=rviz),
        ]
    )


def argument(name: str, default: str, description: str) -> DeclareLaunchArgument:
    """A launch argument that `ros2 launch --show-args` explains."""
    return DeclareLaunchArgument(name, default_value=default, description=description)


def names(context: LaunchContext) -> list[str]:
    """The cameras; the node says what is wrong with a name, and raises RuntimeError where there is none."""
    given = LaunchConfiguration("cameras").perform(context).strip("[] ")
    found = [name.strip(" \"'") for name in given.split(",") if name.strip()]
    if not found:
        raise RuntimeError("cameras:= has no names: give them with commas between, cameras:=front,rear")
    return found


def topics(context: LaunchContext) -> dict[str, str]:
    """What each camera's inputs are called in the node, and where they are found."""
    found: dict[str, str] = {}
    for argument, topic in (("images", "image"), ("camera_infos", "camera_info")):
        where = LaunchConfiguration(argument).perform(context)
        if "{camera}" not in where and (where or argument == "images"):
            raise RuntimeError(f"{argument}:={where} would be one topic for all cameras: write {{camera}} for the name")
        if where:
            found |= {f"{name}/{topic}": where.replace("{camera}", name) for name in names(context)}
    return found


def remappings(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """One for each input."""
    return [SetRemap(source, target) for source, target in topics(context).items()]


def rviz(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    """RViz with the topics of one camera, where it is asked for."""
    if LaunchConfiguration("rviz").perform(context).lower() not in ("true", "1"):
        return []
    camera = LaunchConfiguration("rviz_camera").perform(context) or names(context)[0]
    images = topics(context).get(f"{camera}/image")
    if images is None:
        raise RuntimeError(f"rviz_camera:={camera} is none of the cameras: take one of {', '.join(names(context))}")
    frame = LaunchConfiguration("rviz_frame").perform(context) or f"{camera}_optical_frame"
    sim_time = ParameterValue(LaunchConfiguration("use_sim_time", default="false"), value_type=bool)
    return [
        Node(
            package="rviz2",
            executable="rviz2",
            name="depth_rviz",
            namespace=LaunchConfiguration("namespace", default=""),
            arguments=["-d", RVIZ, "-f", frame],
            parameters=[{"use_sim_time": sim_time}],
            remappings=[
                ("image", images),
                *((topic, f"{camera}/{topic}") for topic in SHOWN),
            ],
        )
    ]
