# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Point clouds of every layout become (N, 4) points; broken ones are one clear line."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.errors import BagError
from depth_node.sensing.point_cloud import read_cloud

XYZ = [[1, 2, 3], [4, 5, 6], [-7, 8, 9], [0.5, 0.25, -1]]


def records(layout: list | dict, strength: float = 0.0) -> np.ndarray:
    points = np.zeros(len(XYZ), np.dtype(layout))
    for axis, name in enumerate("xyz"):
        points[name] = np.array(XYZ)[:, axis]
    for name in points.dtype.names[3:4]:
        points[name] = strength
    return points


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("kind", "name", "value", "expected"),
    [("f4", "intensity", 17.5, 17.5), ("u1", "reflectivity", 255, 1.0), ("u2", "i", 13107, 0.2)],
)
def test_every_layout(cloud, order, kind, name, value, expected):
    floats = {"names": ["x", "y", "z", name], "offsets": [0, 4, 8, 16], "itemsize": 29}
    points = records(floats | {"formats": [f"{order}f4"] * 3 + [f"{order}{kind}"]}, value)
    read = read_cloud(cloud(points, is_bigendian=order == ">"))
    np.testing.assert_allclose(read[:, :3], XYZ)
    np.testing.assert_allclose(read[:, 3], expected, rtol=1e-6)
    assert read.dtype == np.float32


def test_doubles_and_no_intensity(cloud):
    points = records([("x", "<f8"), ("y", "<f8"), ("z", "<f8")])
    np.testing.assert_allclose(read_cloud(cloud(points)), np.column_stack([XYZ, np.zeros(4)]))


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_byte_order_that_is_declared_wrongly_is_seen_through(cloud, order):
    """Read in the wrong order, metres become numbers like 1e-41."""
    points = records([(axis, f"{order}f4") for axis in "xyz"])
    np.testing.assert_allclose(read_cloud(cloud(points, is_bigendian=order == "<"))[:, :3], XYZ)


def test_points_without_a_position_are_left_out(cloud):
    points = records([("x", "<f4"), ("y", "<f4"), ("z", "<f4")])
    points["y"][0], points["x"][1] = np.nan, np.inf
    for axis in "xyz":
        points[axis][2] = 0
    np.testing.assert_allclose(read_cloud(cloud(points))[:, :3], XYZ[3:])


def test_organised_clouds_with_padded_or_unset_rows(cloud):
    points = records([("x", "<f4"), ("y", "<f4"), ("z", "<f4")]).reshape(2, 2)
    np.testing.assert_allclose(read_cloud(cloud(points, row_step=0))[:, :3], XYZ)
    rows = np.zeros((2, 40), np.uint8)
    rows[:, :24] = np.frombuffer(points.tobytes(), np.uint8).reshape(2, 24)
    np.testing.assert_allclose(read_cloud(cloud(points, row_step=40, data=rows.ravel()))[:, :3], XYZ)


def test_an_empty_cloud(cloud):
    points = records([("x", "<f4"), ("y", "<f4"), ("z", "<f4")])[:0]
    assert read_cloud(cloud(points, height=1, width=0)).shape == (0, 4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": np.zeros(40, np.uint8)}, "does not fit its header"),
        ({"width": 1 << 31}, "does not fit its header"),
        ({"point_step": 5, "row_step": 20}, "does not fit its header"),
        ({"fields": []}, "no x, y, z, but nothing"),
    ],
)
def test_broken_clouds_are_refused(cloud, changes, message):
    points = records([("x", "<f4"), ("y", "<f4"), ("z", "<f4")])
    with pytest.raises(BagError, match=message):
        read_cloud(cloud(points, **changes))
