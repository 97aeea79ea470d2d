"""The KITTI layout on disk: paths, formats, calibration files, splits, stereo pairs. The only place that knows them."""
