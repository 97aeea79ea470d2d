# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Chains of fixed transforms, from a bag or a file; what is not linked is said."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.bags.reader import BagReader
from depth_node.errors import CalibrationError
from depth_node.recording.sensors.bag_extrinsics import extrinsics_of
from depth_node.sensing.transform_tree import Extrinsics, TransformTree, read_extrinsics, rigid

QUARTER_LEFT = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
HALF = np.sqrt(0.5)


@pytest.fixture
def tree():
    """base -> mast -> lidar, base -> camera; nothing to the trailer."""
    tree = TransformTree("/tf_static")
    tree.add("base", "/mast", rigid(np.eye(3), [1, 0, 2]))
    tree.add("mast", "lidar", rigid(QUARTER_LEFT, [0, 0, 0.5]))
    tree.add("base", "camera", rigid(np.eye(3), [2, 0, 1]))
    tree.add("trailer", "hook", np.eye(4))
    return tree


def test_a_chain_goes_up_and_down(tree):
    T_camera_lidar = tree.find("camera", "lidar")
    # One metre ahead of the lidar is one metre left of the mast, seen from the camera a metre ahead and 1.5 below.
    np.testing.assert_allclose(T_camera_lidar @ [1, 0, 0, 1], [-1, 1, 1.5, 1], atol=1e-12)
    np.testing.assert_allclose(tree.find("lidar", "/camera"), np.linalg.inv(T_camera_lidar), atol=1e-12)


def test_what_is_not_linked_is_said(tree):
    assert tree.find("camera", "hook") is None
    assert tree.find("camera", "nowhere") is None
    problem = Extrinsics([tree]).problem("camera", "hook")
    assert "where 'hook' sits on 'camera' (/tf_static knows base, camera, hook" in problem
    assert "--extrinsics" in problem


YAML = f"""
transforms:
  - parent: base
    child: lidar
    translation: [1, 0, 2.5]
    rotation: [0, 0, {HALF}, {HALF}]
  - {{parent: base, child: camera, translation: [2, 0, 1], rotation: [0, 0, {np.pi / 2}]}}
  - {{parent: base, child: imu, translation: [0, 0, 0], rotation: [0, -1, 0, 1, 0, 0, 0, 0, 1]}}
"""
ECHOED = f"""
transforms:
- header: {{stamp: {{sec: 0, nanosec: 0}}, frame_id: base}}
  child_frame_id: lidar
  transform:
    translation: {{x: 1.0, y: 0.0, z: 2.5}}
    rotation: {{x: 0.0, y: 0.0, z: {HALF}, w: {HALF}}}
---
"""


def test_a_file_in_every_form(tmp_path):
    (tmp_path / "a.yaml").write_text(YAML)
    (tmp_path / "b.yaml").write_text(ECHOED)
    tree = read_extrinsics(tmp_path / "a.yaml")
    for frame in ("lidar", "camera", "imu"):
        np.testing.assert_allclose(tree.find("base", frame)[:3, :3], QUARTER_LEFT, atol=1e-12)
    np.testing.assert_allclose(read_extrinsics(tmp_path / "b.yaml").find("base", "lidar"), tree.find("base", "lidar"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "no YAML file"),
        ("transforms: []", "lists no transforms"),
        ("hello", "needs a list 'transforms'"),
        ("transforms: [{parent: a, child: b, translation: [0, 0], rotation: [0, 0, 0, 1]}]", "three finite numbers"),
        ("transforms: [{parent: a, child: b, translation: [0, 0, 0], rotation: [0, 0, 0, 0]}]", "is no rotation"),
        ("transforms: [{parent: a, child: b, translation: [0, 0, .inf], rotation: [0, 0, 0, 1]}]", "finite"),
        ("transforms: [{parent: a, translation: [0, 0, 0], rotation: [0, 0, 0, 1]}]", "KeyError: 'child'"),
    ],
)
def test_broken_files_are_one_clear_line(tmp_path, text, message):
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(CalibrationError, match=message) as caught:
        read_extrinsics(tmp_path / "x.yaml")
    assert "\n" not in str(caught.value)
    with pytest.raises(CalibrationError, match="cannot read extrinsics"):
        read_extrinsics(tmp_path / "none.yaml")


def test_the_file_wins_over_the_bag(tmp_path, side_bag_maker):
    with side_bag_maker(tmp_path / "bag") as bag:
        bag.mount("base", "lidar", [9, 9, 9])
        bag.mount("base", "camera", [2, 0, 1])
    (tmp_path / "x.yaml").write_text(
        "transforms: [{parent: base, child: lidar, translation: [1, 0, 1], rotation: [0, 0, 0, 1]}]"
    )
    with BagReader(tmp_path / "bag") as reader:
        np.testing.assert_allclose(extrinsics_of(reader).find("camera", "lidar")[:3, 3], [7, 9, 8])
        given = extrinsics_of(reader, str(tmp_path / "x.yaml"))
        assert extrinsics_of(reader).find("camera", "imu") is None
    np.testing.assert_allclose(given.find("camera", "lidar")[:3, 3], [-1, 0, 0])
    np.testing.assert_allclose(given.find("lidar", "lidar"), np.eye(4))
