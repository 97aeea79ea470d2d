# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Where a bag's sensors sit: /tf_static and the user's file."""

from __future__ import annotations

from pathlib import Path

from depth_node.bags.message_types import TF_MESSAGE
from depth_node.bags.reader import BagReader
from depth_node.sensing.transform_tree import Extrinsics, TransformTree, add_transforms, read_extrinsics

TF_STATIC = "/tf_static"


def extrinsics_of(bag: BagReader, file: str = "") -> Extrinsics:
    """Read /tf_static of a bag and a YAML file; raises BagError and CalibrationError."""
    latched = TransformTree(TF_STATIC)
    for topic in bag.topics:
        if topic.type == TF_MESSAGE and topic.name.endswith(TF_STATIC):
            for message in bag.messages(topic.name):
                add_transforms(latched, message.message.transforms)
    return Extrinsics.preferring(read_extrinsics(Path(file)), latched) if file else Extrinsics([latched])
