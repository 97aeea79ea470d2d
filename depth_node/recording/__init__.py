"""From bags to KITTI-style sequences: selection, writing, sensors beside the camera, journal, report."""
