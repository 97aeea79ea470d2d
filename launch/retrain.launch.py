# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A better checkpoint from today's bags, if it is one: `depth improve` as a process that ends by itself.

ros2 launch depth_node retrain.launch.py bags:=/data/tuesday checkpoint:=/robot/depth.safetensors \
    older:=/data/nights/monday/recorded output:=/data/nights/tuesday deploy:=/robot/depth.safetensors
"""

import shlex

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration


def night(context: LaunchContext) -> list[ExecuteProcess]:
    """The command, from lists with commas as launch arguments have them."""
    names = ("bags", "checkpoint", "output", "older", "deploy", "arguments")
    given = {name: LaunchConfiguration(name).perform(context) for name in names}
    bags, older = ([part for part in given[name].split(",") if part] for name in ("bags", "older"))
    command = ["depth", "improve", *bags, "--from", given["checkpoint"], "--output", given["output"]]
    command += ["--older", *older] if older else []
    command += ["--deploy", given["deploy"]] if given["deploy"] else []
    command += shlex.split(given["arguments"])
    return [ExecuteProcess(cmd=command, output="screen", on_exit=end)]


def end(_: ProcessExited, context: LaunchContext) -> Shutdown | None:
    """End all with the night, unless that is under way already: launch cannot be shut down twice."""
    return None if context.is_shutdown else Shutdown(reason="the night has ended")


def generate_launch_description() -> LaunchDescription:
    """The night, which ends when all is done."""
    more = "more arguments of `depth improve`, such as '--epochs 2'"
    return LaunchDescription(
        [
            DeclareLaunchArgument("bags", description="bag folders or files, commas between several"),
            DeclareLaunchArgument("checkpoint", default_value="real", description="the present checkpoint"),
            DeclareLaunchArgument("output", description="folder of this night; the same one goes on where it was"),
            DeclareLaunchArgument("older", default_value="", description="recordings of before, commas between them"),
            DeclareLaunchArgument("deploy", default_value="", description="file that a better checkpoint is copied to"),
            DeclareLaunchArgument("arguments", default_value="", description=more),
            OpaqueFunction(function=night),
        ]
    )
