# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth PNG, lidar scan and oxts line."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.errors import SequenceError
from depth_node.kitti.formats import (
    OxtsPacket,
    read_depth,
    read_oxts,
    read_velodyne,
    write_depth,
    write_oxts,
    write_velodyne,
)


def test_depth_is_exact_to_a_512th_of_a_metre(tmp_path):
    depth = np.random.default_rng(0).uniform(0.1, 250, (5, 7)).astype(np.float32)
    depth[0, :5] = [np.nan, np.inf, -1, 0, 300]
    write_depth(tmp_path / "a" / "0.png", depth)
    back = read_depth(tmp_path / "a" / "0.png")
    assert np.isnan(back[0, :5]).all()
    assert np.abs(back[1:] - depth[1:]).max() <= 1 / 512
    assert back.dtype == np.float32


def test_broken_depth(tmp_path):
    (tmp_path / "0.png").write_bytes(b"")
    for path in (tmp_path / "0.png", tmp_path / "none.png"):
        with pytest.raises(SequenceError):
            read_depth(path)


def test_velodyne_round_trip_and_cut(tmp_path):
    points = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    write_velodyne(tmp_path / "0.bin", points)
    np.testing.assert_array_equal(read_velodyne(tmp_path / "0.bin"), points)
    (tmp_path / "0.bin").write_bytes(points.tobytes()[:-3])
    with pytest.raises(SequenceError, match="cut off"):
        read_velodyne(tmp_path / "0.bin")


def test_oxts_round_trip_and_errors(tmp_path):
    packet = OxtsPacket(lat=49.011212804408, lon=8.4228850417969, vf=12.5, numsats=9)
    write_oxts(tmp_path / "0.txt", packet)
    assert len((tmp_path / "0.txt").read_text().split()) == 30
    assert read_oxts(tmp_path / "0.txt") == packet
    (tmp_path / "0.txt").write_text("1 2 3")
    with pytest.raises(SequenceError, match="3 numbers instead of 30"):
        read_oxts(tmp_path / "0.txt")
