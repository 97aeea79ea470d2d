"""What a bag holds beside pictures, in KITTI's formats: lidar scans and depth, motion, labels."""
