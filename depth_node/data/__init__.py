"""Bags and KITTI-style sequences: the only place that knows their formats and paths."""
