"""The ROS 2 nodes: the only importer of rclpy."""
