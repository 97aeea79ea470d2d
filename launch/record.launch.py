# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A KITTI-style sequence folder from rosbags.

ros2 launch depth_node record.launch.py bags:=/data/monday output:=/data/recorded
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

BAGS = ParameterValue(["[", LaunchConfiguration("bags"), "]"], value_type=list[str])
PARAMETERS = PathJoinSubstitution([FindPackageShare("depth_node"), "config", "recorder.yaml"])


def generate_launch_description() -> LaunchDescription:
    """The recorder, which ends when all is written."""
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "bags", description="bag folder, .mcap or .db3 file, folder of those; commas between several"
            ),
            DeclareLaunchArgument("output", description="folder to write; new, empty, or of an interrupted recording"),
            DeclareLaunchArgument(
                "params_file",
                default_value=PARAMETERS,
                description="all other settings; copy the default one",
            ),
            DeclareLaunchArgument("namespace", default_value="", description="namespace of the node"),
            DeclareLaunchArgument("log_level", default_value="info", description="debug, info, warn, error or fatal"),
            Node(
                package="depth_node",
                executable="recorder_node",
                name="recorder_node",
                namespace=LaunchConfiguration("namespace"),
                parameters=[
                    LaunchConfiguration("params_file"),
                    {"bags": BAGS, "output": LaunchConfiguration("output")},
                ],
                ros_arguments=["--log-level", LaunchConfiguration("log_level")],
                output="screen",
                on_exit=end,
            ),
        ]
    )


def end(_: ProcessExited, context: LaunchContext) -> Shutdown | None:
    """End all with the recorder, unless that is under way already: launch cannot be shut down twice."""
    return None if context.is_shutdown else Shutdown(reason="the recording has ended")
