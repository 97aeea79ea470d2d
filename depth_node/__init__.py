"""Depth from one camera for ROS 2. Importing this package loads neither torch nor rclpy."""

__version__ = "0.2.0"
