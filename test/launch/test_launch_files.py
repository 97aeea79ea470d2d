# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files, wherever launch_ros is installed: what they declare, and what their processes are given."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPTH = ("namespace", "use_sim_time", "params_file", "log_level", "rviz", "rviz_display", "rviz_frame", "autostart")
TOPICS = ("image", "camera_info", "lidar", "scan", "range", "odom")
RETRAIN = ("bags", "checkpoint", "output", "older", "deploy", "arguments")
RECORD = ("bags", "output", "params_file", "namespace", "log_level")
LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
file, *given = sys.argv[1:]
include = IncludeLaunchDescription(file, launch_arguments=[pair.split(":=", 1) for pair in given])
service = LaunchService(noninteractive=True)
service.include_launch_description(LaunchDescription([include]))
sys.exit(service.run())
"""
PROGRAM = """#!{python}
import json, pathlib, sys
files = [sys.argv[at + 1] for at, word in enumerate(sys.argv) if word == "--params-file"]
texts = [pathlib.Path(file).read_text() for file in files]
pathlib.Path(__file__ + ".json").write_text(json.dumps({{"arguments": sys.argv[1:], "files": files, "texts": texts}}))
"""
"""What stands in for the nodes: it notes what it is given."""


@pytest.fixture
def launch():
    """The package launch, which has the name of our folder; skips where launch_ros is missing."""
    pytest.importorskip("launch_ros", reason="launch_ros is not on PyPI; install ROS 2 to run this")
    import launch

    return launch


@pytest.fixture
def prefix(tmp_path):
    """An installation: share, lib and bin as setup.py has them."""
    share = tmp_path / "share/depth_node"
    for path, target in (
        *((share / name, ROOT / name) for name in ("launch", "config", "rviz")),
        (tmp_path / "share/ament_index/resource_index/packages/depth_node", ROOT / "resource/depth_node"),
        *((tmp_path / "lib/depth_node" / path.name, path) for path in (ROOT / "scripts").iterdir()),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    for name in ("depth_node", "recorder_node", "depth"):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(PROGRAM.format(python=sys.executable))
        program.chmod(0o755)
    return tmp_path


def description(name):
    spec = importlib.util.spec_from_file_location(f"{name}_launch", ROOT / f"launch/{name}.launch.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded.generate_launch_description()


def started(prefix, name, program, **given):
    """Launch a file; returns what its process got: the arguments in one string, and the parameter files."""
    before = os.environ.get("AMENT_PREFIX_PATH", "")
    environment = {**os.environ, "AMENT_PREFIX_PATH": f"{prefix}{os.pathsep if before else ''}{before}"}
    file = prefix / f"share/depth_node/launch/{name}.launch.py"
    command = [sys.executable, "-c", LAUNCH, str(file), *(f"{key}:={value}" for key, value in given.items())]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    note = prefix / f"bin/{program}.json"
    assert done.returncode == 0, done.stdout + done.stderr
    assert note.exists(), done.stdout + done.stderr
    noted = json.loads(note.read_text())
    values = {}
    for text in noted["texts"][1:]:
        for tree in yaml.safe_load(text).values():
            values |= tree["ros__parameters"]
    return " ".join(noted["arguments"]), Path(noted["files"][0]), values


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("depth", {*DEPTH, *TOPICS, "checkpoint"}), ("record", {*RECORD}), ("retrain", {*RETRAIN})],
)
def test_every_argument_is_declared_and_described(launch, name, wanted):
    entities = description(name).entities
    declared = {entity.name: entity for entity in entities if isinstance(entity, launch.actions.DeclareLaunchArgument)}
    assert set(declared) == wanted
    assert all(len(argument.description) > 10 for argument in declared.values())
    needed = {key for key, argument in declared.items() if argument.default_value is None}
    assert needed == (set() if name == "depth" else {"bags", "output"})


def test_nothing_given_is_the_parameter_file(launch, prefix):
    arguments, file, overrides = started(prefix, "depth", "depth_node")
    assert (file, overrides) == (prefix / "share/depth_node/config/depth.yaml", {"use_sim_time": False})
    assert "__node:=depth_node" in arguments
    assert "--log-level info" in arguments


def test_what_is_given_overrules_it(launch, prefix):
    given = {"checkpoint": "/my.safetensors", "autostart": "false", "use_sim_time": "true", "namespace": "front"}
    (prefix / "my.yaml").write_text("/**: {ros__parameters: {max_age: 2.0}}")
    arguments, file, overrides = started(
        prefix,
        "depth",
        "depth_node",
        params_file=prefix / "my.yaml",
        image="/cam/image",
        odom="/odom",
        log_level="debug",
        **given,
    )
    assert file == prefix / "my.yaml"
    assert overrides == {"use_sim_time": True, "checkpoint": "/my.safetensors", "autostart": False}
    for wanted in ("__ns:=/front", "image:=/cam/image", "camera_info:=camera_info", "odom:=/odom", "--log-level debug"):
        assert wanted in arguments


@pytest.mark.parametrize("asked", ["true", "false"])
def test_rviz_only_when_asked_for(launch, asked):
    context = launch.LaunchContext()
    context.launch_configurations["rviz"] = asked
    (rviz,) = [entity for entity in description("depth").entities if entity.condition is not None]
    assert rviz.node_package == "rviz2"
    assert rviz.condition.evaluate(context) is (asked == "true")


@pytest.mark.parametrize("bags", ["/data/monday", "/data/on monday, /data/x.mcap"])
def test_the_recorder_gets_bags_and_output(launch, prefix, bags):
    _, file, overrides = started(prefix, "record", "recorder_node", bags=bags, output="/data/out")
    assert file == prefix / "share/depth_node/config/recorder.yaml"
    assert overrides == {"bags": bags.split(", "), "output": "/data/out"}


def test_a_night_gets_lists_and_more_arguments(launch, prefix, monkeypatch):
    monkeypatch.setenv("PATH", f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}")
    given = {"bags": "/data/a b.mcap,/data/c", "older": "/n/1,/n/2", "output": "/n/3", "arguments": "--epochs 2"}
    with pytest.raises(IndexError):  # it has no parameter file, and needs none
        started(prefix, "retrain", "depth", **given, deploy="/robot/x.safetensors")
    noted = json.loads((prefix / "bin/depth.json").read_text())["arguments"]
    assert noted == [
        *("improve", "/data/a b.mcap", "/data/c", "--from", "real", "--output", "/n/3"),
        *("--older", "/n/1", "/n/2", "--deploy", "/robot/x.safetensors", "--epochs", "2"),
    ]


@pytest.mark.parametrize("shown", ["depth", "classes"])
def test_rviz_gets_the_display_that_is_chosen(launch, shown):
    context = launch.LaunchContext()
    context.launch_configurations["rviz_display"] = shown
    (rviz,) = [entity for entity in description("depth").entities if entity.condition is not None]
    assert [part.perform(context) for part in rviz.cmd[1]] == ["-d"]
    name = "".join(part.perform(context) for part in rviz.cmd[2][1:])
    assert (ROOT / name.lstrip("/")).exists()
    assert name == f"/rviz/{shown}.rviz"
