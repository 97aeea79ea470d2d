# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The legend for Nav2's semantic layer, written and read as the bytes of its published definition."""

import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

pytest.importorskip("rclpy", reason="rclpy is not installed")
from depth_node.config.classes import CITYSCAPES
from depth_node.ros.live.label_info import label_info

ENTRY, KIND = "vision_msgs/msg/VisionClass", "vision_msgs/msg/LabelInfo"
DEFINITIONS = {
    ENTRY: "uint16 class_id\nstring class_name\n",
    KIND: "std_msgs/Header header\nvision_msgs/VisionClass[] class_map\nfloat32 threshold\n",
}


def test_every_class_has_its_number_and_name():
    store = get_typestore(Stores.ROS2_HUMBLE)
    for name, definition in DEFINITIONS.items():
        store.register(get_types_from_msg(definition, name))
    types = store.types
    header = types["std_msgs/msg/Header"](types["builtin_interfaces/msg/Time"](5, 6), "")
    made = label_info(CITYSCAPES, header, types[KIND], types[ENTRY])
    read = store.deserialize_cdr(store.serialize_cdr(made, KIND), KIND)
    assert {entry.class_id: entry.class_name for entry in read.class_map} == dict(enumerate(CITYSCAPES.names))
    assert read.threshold == 0.0
