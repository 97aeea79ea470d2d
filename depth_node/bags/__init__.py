"""Rosbags: reading, finding topics, inspecting, and saving what is left of damaged ones. No ROS installation needed."""
