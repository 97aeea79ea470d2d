"""The Eigen protocol and its metrics."""
