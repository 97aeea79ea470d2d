# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The rooms of the package, from the ground floor up: what each owns, and on which floor it stands.

The test of the import direction, the README's table and CONTRIBUTING's line are made from this one list. A room may
import those of lower floors; rooms of one floor may build on each other, but not in a circle.
"""

from __future__ import annotations

FLOORS: tuple[dict[str, str], ...] = (
    {
        "errors": "one small hierarchy: each is one line for the user",
        "atomic_file": "files that appear whole or not at all",
        "image_file": "images as files",
        "allocator": "how much memory is held, and how",
        "installed": "which packages are installed",
        "cache_folder": "where files lie that can be made again",
        "distributed": "processes that torchrun started",
    },
    {"config": "every default, once: ROS parameters, YAML and flags are made from it"},
    {"geometry": "disparity, intrinsics, rigid motion, warping, ground plane; PyTorch and NumPy only"},
    {
        "kitti": "the layout on disk: paths, formats, calibration files, splits",
        "sensing": "what other sensors give: clouds, odometry, where they sit on the vehicle",
        "camera": "what a camera gives: encodings, calibration, rectification, network input",
        "networks": "encoders, decoders, pixel-adaptive convolution, semantic and pose nets; know no camera",
    },
    {
        "losses": "pure functions first: photometric, smoothness, reprojection, exact depth",
        "drawing": "pictures for people: colors, overviews",
        "checkpoints": "networks on disk: container, depth, semantic, hub, the authors' files",
    },
    {
        "datasets": "what training reads: triplets, labelled pictures, augmentation, cache",
        "bags": "rosbags and videos: reading, topics, inspection, salvage",
        "simulation": "streets in towns and outside, with exact depth",
    },
    {
        "teachers": "depth networks of others, whose answers are written to disk to learn from",
        "scale": "metres and steadiness at run time: sources, their filter, flicker",
        "inference": "the engines: image, K -> Prediction; backends/ what computes the networks; confidence, clouds",
        "recording": "bags to KITTI-style sequences: selection, sensors, journal, report",
    },
    {
        "export": "checkpoints for other runtimes",
        "evaluation": "metrics and the Eigen protocol",
        "training": "self-supervised, semantic and pretraining; run/ is the run folder",
    },
    {"resampling": "which frames the second stage leaves out"},
    {"improvement": "better every night: check, train on, compare, promote"},
    {
        "ros": "the nodes, live/ the live one, view/ what a browser shows of it; the only importer of rclpy",
        "demo": "the demonstration",
    },
    {"cli": "the `depth` command, one small file per subcommand"},
)


def levels() -> dict[str, int]:
    """Floor of each room."""
    return {room: number for number, floor in enumerate(FLOORS) for room in floor}


def table() -> str:
    """The README's table."""
    return "\n".join(f"{room + '/':<13}{owns}" for floor in FLOORS[1:] for room, owns in floor.items())


def line() -> str:
    """CONTRIBUTING's line, from the top down."""
    return " -> ".join(", ".join(f"`{room}`" for room in floor) for floor in reversed(FLOORS))
