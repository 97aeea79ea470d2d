"""A procedural street drive with exact depth, labels, poses and lidar."""
