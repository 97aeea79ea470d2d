# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The classes of a semantic network as vision_msgs/LabelInfo, the legend that Nav2's semantic layer asks for."""

from __future__ import annotations

from typing import Any

from depth_node.config.classes import ClassMap

try:
    from vision_msgs.msg import LabelInfo, VisionClass
except ImportError:  # part of a ROS installation, not on PyPI
    LabelInfo = VisionClass = None

__all__ = ["LabelInfo", "label_info"]


def label_info(classes: ClassMap, header: Any, kind: Any = LabelInfo, entry: Any = VisionClass) -> Any:
    """The legend of a mask.

    Args:
        classes: by number.
        header: of the message.
        kind: class of the message.
        entry: class of one of its entries.

    Returns:
        A LabelInfo with one entry per class and threshold 0: each pixel has the class that scores highest.
    """
    entries = [entry(class_id=number, class_name=name) for number, name in enumerate(classes.names)]
    return kind(header=header, class_map=entries, threshold=0.0)
