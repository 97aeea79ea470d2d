# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Flags that name labelled pictures, shared by the commands that train and evaluate semantic networks."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from depth_node.cli.command_parser import CommandParser

if TYPE_CHECKING:
    from depth_node.training.semantic.sources import LabelledSources


def add_sources(parser: CommandParser) -> None:
    """Declare where labelled pictures come from."""
    group = parser.add_argument_group("Labelled pictures")
    group.add_argument("--images", type=Path, nargs="+", action="extend", default=[], help="folders of pictures")
    group.add_argument(
        "--labels",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        help="a folder of label PNGs for each of --images",
    )
    group.add_argument(
        "--image_ending", default="", help="ending of picture names that labels lack, such as _leftImg8bit.png"
    )
    group.add_argument(
        "--label_ending", default="", help="ending that label names have instead, such as _gtFine_labelIds.png"
    )
    group.add_argument(
        "--data",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        help="KITTI-style drives with semantic/image_02, or roots of them",
    )
    group.add_argument(
        "--ground_truth_dir",
        type=Path,
        nargs="+",
        action="extend",
        default=[],
        help="ground_truth folders of the simulated drives in --data, in the same order, or a root that holds them",
    )
    group.add_argument(
        "--label_ids",
        default="",
        help="class of each label value: cityscapes (labelIds), camvid (as Cityscapes classes) or a YAML file; "
        "default: labels hold class numbers",
    )


def read_sources(args: Namespace) -> LabelledSources:
    """The sources named by the flags of `add_sources`."""
    from depth_node.training.semantic.sources import LabelledSources

    return LabelledSources(
        args.images, args.labels, args.data, args.ground_truth_dir, args.image_ending, args.label_ending
    )
