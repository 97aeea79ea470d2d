# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Show a running graph in a browser: image, depth, semantic classes and cloud of every live node, and its state.

The page comes from this machine, so a robot without internet will do; a browser elsewhere opens it under the robot's
name. Needs rerun (pip install 'depth_node[view]'). Ctrl-C ends it; live nodes are never held up.

  depth view
  depth view --namespace front rear --max_rate 2
  depth view --save drive.rrd              (`rerun drive.rrd` shows it again)
"""

from __future__ import annotations

import argparse
from argparse import Namespace

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.view import ViewConfig


def add_arguments(parser: CommandParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "--namespace",
        type=str,
        nargs="+",
        default=[],
        help="namespaces of the live nodes, or names of one node's cameras, to show [default: all]",
    )
    add_settings(parser, ViewConfig)
    parser.add_argument(
        "--ros-args", dest="ros_args", nargs=argparse.REMAINDER, default=[], help="remappings and other ROS arguments"
    )


def run(args: Namespace) -> int:
    """Show until interrupted."""
    from depth_node.ros.main import ros_context, run_node

    config = read_settings(args, ViewConfig)
    with ros_context(["--ros-args", *args.ros_args] if args.ros_args else []) as stop:
        from depth_node.ros.view.page_server import open_page, own_names, page_address, recordings

        with recordings(config) as made:
            from depth_node.ros.view.graph_view import GraphView
            from depth_node.ros.view.rerun_scene import Scene

            address = page_address("localhost", config.port)
            print(f"open {address}")
            print(f"elsewhere the same with {' or '.join(own_names()[2:])} for localhost, twice; Ctrl-C ends it")
            if config.browser:
                open_page(address)
            scene = Scene(made, config.max_points)
            status = run_node(lambda: GraphView(scene, config, args.namespace, print), lambda *_: None, stop)
    if config.save:
        print(f"saved {config.save}")
    return status
