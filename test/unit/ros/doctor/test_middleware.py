# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What the doctor says of middleware and machine, from files and variables that are made here."""

from __future__ import annotations

import shutil
from collections import namedtuple

import pytest

from depth_node.cli.main import main
from depth_node.ros.doctor import installation, middleware
from depth_node.ros.doctor.finding import BAD, NOTE, OK, WARN
from depth_node.ros.doctor.installation import check_installation
from depth_node.ros.doctor.middleware import check_middleware, check_receive_buffer, check_shared_memory

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(("size", "level"), [("212992\n", NOTE), ("16777216\n", OK), ("much", NOTE)])
def test_the_receive_buffer(tmp_path, size, level):
    (tmp_path / "rmem_max").write_text(size)
    finding = check_receive_buffer(tmp_path / "rmem_max")
    assert finding.level == level
    assert ("sysctl" in finding.remedy) == (size == "212992\n")


def test_shared_memory_that_is_small_full_or_missing(tmp_path, monkeypatch):
    assert [f.level for f in check_shared_memory(tmp_path / "none")] == [WARN]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(64 << 20, 0, 64 << 20))
    (small,) = check_shared_memory(tmp_path)
    assert small.level == WARN
    assert "64 MB are free" in small.text
    assert "--shm-size" in small.remedy
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 33, 0, 1 << 33))
    for ending in ("", "_el"):
        (tmp_path / f"fastdds_0123456789abcdef{ending}").touch()
    room, left = check_shared_memory(tmp_path)
    assert (room.level, left.level) == (OK, NOTE)
    assert left.text.startswith("1 segments")
    assert "start a node" in left.remedy


def test_without_ros_the_one_thing_that_counts_is_said(monkeypatch):
    real = middleware.importlib.util.find_spec
    monkeypatch.setattr(middleware.importlib.util, "find_spec", lambda name: None if name == "rclpy" else real(name))
    (finding,) = check_middleware({})
    assert finding.level == BAD
    assert "setup.bash" in finding.remedy


def test_a_profile_that_is_not_there_is_bad(tmp_path):
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    found = {f.about: f for f in check_middleware({"FASTDDS_DEFAULT_PROFILES_FILE": str(tmp_path / "no.xml")})}
    assert found["middleware"].level == BAD
    (tmp_path / "own.xml").write_text("<dds/>")
    found = {f.about: f for f in check_middleware({"FASTDDS_DEFAULT_PROFILES_FILE": str(tmp_path / "own.xml")})}
    assert found["middleware"].level == OK
    found = {f.about: f for f in check_middleware({"ROS_DOMAIN_ID": "7", "ROS_LOCALHOST_ONLY": "1"})}
    assert found["domain"].text == "7, this machine only"


def test_the_installation(monkeypatch, tmp_path):
    monkeypatch.setenv("DEPTH_NODE_CACHE", str(tmp_path))
    monkeypatch.setattr(installation.os, "getloadavg", lambda: (99.0, 99.0, 99.0))
    found = list(check_installation())
    assert not [finding for finding in found if finding.level == BAD]
    assert [finding.text for finding in found if finding.about == "cache"] == [str(tmp_path)]
    assert [finding.level for finding in found if finding.about == "processor"] == [WARN]
    assert sum(finding.about == "checkpoint" for finding in found) == 2
    monkeypatch.setattr("depth_node.checkpoints.shipped.FOLDER", tmp_path)
    assert sum(finding.level == BAD for finding in check_installation()) == 2


def test_the_command_without_a_graph(capsys):
    pytest.importorskip("rclpy", reason="rclpy is not installed")
    assert main(["doctor", "--no_graph"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "nothing is broken"
