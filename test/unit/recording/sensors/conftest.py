# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bag with everything that may lie beside pictures."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace

import numpy as np
import pytest
from rosbags.typesys import Stores, get_typestore

SECOND = 1_000_000_000
START_NS = 1_317_038_400_123_456_789
T = get_typestore(Stores.ROS2_HUMBLE).types


@pytest.fixture
def side_bag_maker(bag_maker):
    """The class that writes bags, extended by where sensors sit."""

    class SideBagMaker(bag_maker):
        def mount(self, parent: str, child: str, shift: Sequence[float], turn: Sequence[float] = (0, 0, 0, 1)) -> None:
            transform = T["geometry_msgs/msg/Transform"](
                translation=T["geometry_msgs/msg/Vector3"](*map(float, shift)),
                rotation=T["geometry_msgs/msg/Quaternion"](*map(float, turn)),
            )
            header = T["std_msgs/msg/Header"](stamp=self.header(START_NS).stamp, frame_id=parent)
            stamped = T["geometry_msgs/msg/TransformStamped"](header=header, child_frame_id=child, transform=transform)
            self.add("/tf_static", "tf2_msgs/msg/TFMessage", START_NS, transforms=[stamped])

    return SideBagMaker


@pytest.fixture
def cloud():
    """A function that makes a PointCloud2-like message of a structured array."""

    def make(points: np.ndarray, frame_id: str = "lidar", **changes) -> SimpleNamespace:
        codes = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 8}
        grid = np.atleast_2d(points)
        fields = [
            SimpleNamespace(name=name, offset=offset, datatype=codes[kind.str[1:]], count=1)
            for name, (kind, offset) in ((name, points.dtype.fields[name][:2]) for name in points.dtype.names)
        ]
        kinds = [points.dtype.fields[name][0].str[0] for name in points.dtype.names]
        content = {
            "header": SimpleNamespace(frame_id=frame_id),
            "height": grid.shape[0],
            "width": grid.shape[1],
            "fields": fields,
            "is_bigendian": ">" in kinds,
            "point_step": points.dtype.itemsize,
            "row_step": points.dtype.itemsize * grid.shape[1],
            "data": np.frombuffer(grid.tobytes(), np.uint8),
        }
        return SimpleNamespace(**(content | changes))

    return make
