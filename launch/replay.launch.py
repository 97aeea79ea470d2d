# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bag through the live node, as if its camera were there: bag, player, node, and RViz where it is asked for.

ros2 launch depth_node replay.launch.py bag:=my_bag image:=/camera/image_raw rviz:=true
"""

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
    Shutdown,
)
from launch.conditions import UnlessCondition
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare


def generate_launch_description() -> LaunchDescription:
    """`depth play`, and all that depth.launch.py starts."""
    return LaunchDescription(
        [
            argument("bag", None, "bag folder, .mcap or .db3 file; `depth inspect` tells what is in it"),
            argument("image", "/camera/image_raw", "the bag's image topic (of compressed ones without /compressed)"),
            argument("rate", "1.0", "speed, 1 is as recorded"),
            argument("loop", "false", "start over at the end, until interrupted"),
            argument("rviz", "false", "also start RViz, which stays when the bag has ended; else everything ends then"),
            argument(
                "subscribers", "1", "the bag waits for so many subscriptions to its images, calibration and all else"
            ),
            argument("wait", "120", "seconds at most that it waits: the first start of a network takes a minute"),
            GroupAction(
                [
                    IncludeLaunchDescription(
                        PathJoinSubstitution([FindPackageShare("depth_node"), "launch", "depth.launch.py"]),
                        # The stamps of a bag are of another day.
                        launch_arguments={"use_sim_time": "true"}.items(),
                    )
                ]
            ),
            OpaqueFunction(function=player),
        ]
    )


def argument(name: str, default: str | None, description: str) -> DeclareLaunchArgument:
    """A launch argument that `ros2 launch --show-args` explains; without a default it has to be given."""
    return DeclareLaunchArgument(name, default_value=default, description=description)


def player(context: LaunchContext) -> list[ExecuteProcess]:
    """The bag's topics under their own names, and its time on /clock."""
    given = {
        name: LaunchConfiguration(name).perform(context) for name in ("bag", "rate", "loop", "subscribers", "wait")
    }
    command = ["depth", "play", given["bag"], "--clock"]
    command += [word for name in ("rate", "subscribers", "wait") for word in (f"--{name}", given[name])]
    command += ["--loop"] if given["loop"].lower() in ("true", "1") else []
    return [ExecuteProcess(cmd=command, output="screen", on_exit=end)]


def end(_: ProcessExited, context: LaunchContext) -> Shutdown | None:
    """End all with the bag, unless that is under way already: launch cannot be shut down twice."""
    if context.is_shutdown:
        return None
    return Shutdown(reason="the bag has ended", condition=UnlessCondition(LaunchConfiguration("rviz")))
