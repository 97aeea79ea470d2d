"""From image and intrinsics to depth and cloud. No ROS here, and no losses."""
