"""The live node: camera in, depth and cloud out."""
