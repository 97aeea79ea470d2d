# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A USB camera and live depth from it: an example with the drivers usb_cam and v4l2_camera, whichever is installed.

ros2 launch depth_node usb_camera.launch.py device_file:=/dev/video0 calibration:=file:///home/me/camera.yaml rviz:=true
"""

import os

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

DRIVERS = {"usb_cam": "usb_cam_node_exe", "v4l2_camera": "v4l2_camera_node"}
"""Packages of drivers, best first, and their executables; all publish image_raw and camera_info."""


def generate_launch_description() -> LaunchDescription:
    """The driver below /camera, and all that depth.launch.py starts."""
    return LaunchDescription(
        [
            argument("driver", "auto", "usb_cam or v4l2_camera; auto takes the first of them that is installed"),
            argument("device_file", "/dev/video0", "the camera's device"),
            argument("width", "640", "columns of the images, pixels"),
            argument("height", "480", "rows of the images, pixels"),
            argument("calibration", "", "camera_info_url of the driver, file:///... as camera_calibration writes it"),
            argument("camera_frame", "camera_optical_frame", "frame_id of the images"),
            OpaqueFunction(function=driver),
            IncludeLaunchDescription(
                PathJoinSubstitution([FindPackageShare("depth_node"), "launch", "depth.launch.py"]),
                launch_arguments={
                    "image": "/camera/image_raw",
                    "rviz_frame": LaunchConfiguration("camera_frame"),
                }.items(),
            ),
        ]
    )


def argument(name: str, default: str, description: str) -> DeclareLaunchArgument:
    """A launch argument that `ros2 launch --show-args` explains."""
    return DeclareLaunchArgument(name, default_value=default, description=description)


def driver(context: LaunchContext) -> list[Node]:
    """The camera's own node; raises RuntimeError with what to install where there is none."""
    asked = LaunchConfiguration("driver").perform(context)
    package = next((name for name in DRIVERS if asked in (name, "auto") and is_installed(name)), "")
    if not package:
        wanted = asked if asked in DRIVERS else next(iter(DRIVERS))
        apt = f"ros-{os.environ.get('ROS_DISTRO', 'DISTRIBUTION')}-{wanted.replace('_', '-')}"
        raise RuntimeError(f"no driver for USB cameras is installed (driver:={asked}): sudo apt install {apt}")
    given = {
        name: LaunchConfiguration(name).perform(context)
        for name in ("device_file", "width", "height", "calibration", "camera_frame")
    }
    width, height = int(given["width"]), int(given["height"])
    size = {"image_width": width, "image_height": height} if package == "usb_cam" else {"image_size": [width, height]}
    frame = {"frame_id" if package == "usb_cam" else "camera_frame_id": given["camera_frame"]}
    url = {"camera_info_url": given["calibration"]} if given["calibration"] else {}
    return [
        Node(
            package=package,
            executable=DRIVERS[package],
            name="camera",
            namespace="/camera",
            parameters=[{"video_device": given["device_file"], **size, **frame, **url}],
            output="screen",
        )
    ]


def is_installed(package: str) -> bool:
    """Whether ROS finds a package."""
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True
