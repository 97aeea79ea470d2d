# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Publish a bag's camera (and whatever else it holds) on ROS 2, with the recorded stamps.

A small stand-in for `ros2 bag play` where only the ROS 2 wheels of PyPI are installed. ROS arguments go at the end:
depth play BAG --rate 0.5 --ros-args -r /camera/image_raw:=/front/image_raw
"""

from __future__ import annotations

import argparse
from argparse import Namespace
from pathlib import Path

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.play import PlayConfig
from depth_node.errors import BagError


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags."""
    parser.add_argument("bag", type=str, help="bag folder, .mcap or .db3 file")
    parser.add_argument("--topic", type=str, nargs="+", default=[], help="play these topics only")
    add_settings(parser, PlayConfig)
    parser.add_argument(
        "--ros-args", dest="ros_args", nargs=argparse.REMAINDER, default=[], help="remappings and other ROS arguments"
    )


def run(args: Namespace) -> int:
    """Play, then print how many messages were published on each topic."""
    from depth_node.ros.main import ros_context

    config = read_settings(args, PlayConfig)
    with ros_context(["--ros-args", *args.ros_args] if args.ros_args else []) as stop:
        from depth_node.bags.files import is_ros1
        from depth_node.bags.reader import BagReader
        from depth_node.ros.player import play

        if is_ros1(Path(args.bag)):
            raise BagError(
                f"{args.bag} is of ROS 1, whose messages cannot be published as they are: `rosbags-convert --src "
                f"{args.bag} --dst {Path(args.bag).stem} --src-typestore ros1_noetic --dst-typestore ros2_humble` first"
            )
        with BagReader(args.bag) as bag:
            play(bag, config, args.topic, stop, print)
    return 0
