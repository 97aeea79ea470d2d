# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The colour camera of an Intel RealSense and live depth from it: an example, to set beside its own depth.

ros2 launch depth_node realsense.launch.py own_depth:=true rviz:=true
"""

import os

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

DRIVER = "realsense2_camera"


def generate_launch_description() -> LaunchDescription:
    """The driver below /camera, and all that depth.launch.py starts."""
    return LaunchDescription(
        [
            argument("serial_no", "", "serial number of the device, where there are several"),
            argument("color_profile", "640x480x30", "width x height x rate of the colour images"),
            argument("own_depth", "false", "also start the device's own depth, aligned to colour, to compare with"),
            OpaqueFunction(function=driver),
            IncludeLaunchDescription(
                PathJoinSubstitution([FindPackageShare("depth_node"), "launch", "depth.launch.py"]),
                launch_arguments={
                    "image": "/camera/color/image_raw",
                    "rviz_frame": "camera_color_optical_frame",
                }.items(),
            ),
        ]
    )


def argument(name: str, default: str, description: str) -> DeclareLaunchArgument:
    """A launch argument that `ros2 launch --show-args` explains."""
    return DeclareLaunchArgument(name, default_value=default, description=description)


def driver(context: LaunchContext) -> list[Node]:
    """The camera's own node; raises RuntimeError with what to install where there is none."""
    try:
        get_package_prefix(DRIVER)
    except PackageNotFoundError:
        apt = f"ros-{os.environ.get('ROS_DISTRO', 'DISTRIBUTION')}-realsense2-camera"
        raise RuntimeError(f"the driver {DRIVER} is not installed: sudo apt install {apt}") from None
    serial = LaunchConfiguration("serial_no").perform(context)
    own_depth = ParameterValue(LaunchConfiguration("own_depth"), value_type=bool)
    given = {"serial_no": ParameterValue(serial, value_type=str)} if serial else {}
    return [
        Node(
            package=DRIVER,
            executable="realsense2_camera_node",
            name="camera",
            namespace="/",
            parameters=[
                {
                    "camera_name": "camera",
                    "enable_color": True,
                    "enable_depth": own_depth,
                    "align_depth.enable": own_depth,
                    "rgb_camera.color_profile": LaunchConfiguration("color_profile"),
                    **given,
                }
            ],
            output="screen",
        )
    ]
