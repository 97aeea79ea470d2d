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
PARAMETERS = (
    "checkpoint", "backend", "device", "image_transport", "scale_source", "camera_height", "cameras", "points.preset",
)  # fmt: skip
MULTI = ("cameras", "images", "camera_infos", "rviz", "rviz_camera", "rviz_frame")
REPLAY = ("bag", "image", "rate", "loop", "rviz", "subscribers", "wait")
USB = ("driver", "device_file", "width", "height", "calibration", "camera_frame")
REALSENSE = ("serial_no", "color_profile", "own_depth")
NAV2 = ("namespace", "use_sim_time", "image", "camera_info", "checkpoint", "costmap", "nav2_params", "nav2")
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
WAIT = """
import time
while not all(pathlib.Path(file).exists() for file in {notes}):
    time.sleep(0.05)
"""
"""What ends with the first of several processes has to wait for the notes of all."""


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


def launched(prefix, name, script=LAUNCH, **given):
    """Launch a file until it ends by itself."""
    before = os.environ.get("AMENT_PREFIX_PATH", "")
    environment = {**os.environ, "AMENT_PREFIX_PATH": f"{prefix}{os.pathsep if before else ''}{before}"}
    file = prefix / f"share/depth_node/launch/{name}.launch.py"
    command = [sys.executable, "-c", script, str(file), *(f"{key}:={value}" for key, value in given.items())]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def note_both(*programs):
    """Put programs in place that end when each of them has noted what it is given."""
    wait = WAIT.format(notes=[f"{program}.json" for program in programs])
    for program in programs:
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(PROGRAM.format(python=sys.executable) + wait)
        program.chmod(0o755)


def failed(prefix, name, **given):
    """Launch a file that cannot work; returns what it says."""
    done = launched(prefix, name, **given)
    assert done.returncode != 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def started(prefix, name, program, **given):
    """Launch a file; returns what its process got: the arguments in one string, and the parameter files."""
    done = launched(prefix, name, **given)
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
    [
        ("depth", {*DEPTH, *TOPICS, *PARAMETERS}),
        ("multi_camera", {*MULTI}),
        ("replay", {*REPLAY}),
        ("usb_camera", {*USB}),
        ("realsense", {*REALSENSE}),
        ("nav2", {*NAV2}),
        ("record", {*RECORD}),
        ("retrain", {*RETRAIN}),
    ],
)
def test_every_argument_is_declared_and_described(launch, name, wanted):
    entities = description(name).entities
    declared = {entity.name: entity for entity in entities if isinstance(entity, launch.actions.DeclareLaunchArgument)}
    assert set(declared) == wanted
    assert all(len(argument.description) > 10 for argument in declared.values())
    needed = {key for key, argument in declared.items() if argument.default_value is None}
    assert needed == {"replay": {"bag"}, "record": {"bags", "output"}, "retrain": {"bags", "output"}}.get(name, set())


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


def test_parameters_by_the_names_of_the_node(launch, prefix):
    given = {"backend": "openvino", "device": "cpu", "image_transport": "raw", "camera_height": "1"}
    _, _, overrides = started(prefix, "depth", "depth_node", scale_source="odometry", **given)
    wanted = {"backend": "openvino", "device": "cpu", "image_transport": "raw", "scale.source": "odometry"}
    assert overrides == wanted | {"use_sim_time": False, "scale.camera_height": 1.0}


def test_several_cameras_are_remapped_each(launch, prefix):
    arguments, _, overrides = started(
        prefix, "multi_camera", "depth_node", cameras="front, rear", images="/{camera}/color", namespace="car"
    )
    assert overrides == {"use_sim_time": False, "cameras": "front, rear"}
    for wanted in ("front/image:=/front/color", "rear/image:=/rear/color", "__ns:=/car"):
        assert wanted in arguments
    assert "front/camera_info:=" not in arguments
    arguments, *_ = started(prefix, "multi_camera", "depth_node", camera_infos="{camera}/info")
    assert "front/image:=front/image_raw" in arguments
    assert "rear/camera_info:=rear/info" in arguments


def test_rviz_shows_one_of_several_cameras(launch, prefix):
    rviz = prefix / "lib/rviz2/rviz2"
    note_both(prefix / "bin/depth_node", rviz)
    (prefix / "share/ament_index/resource_index/packages/rviz2").touch()
    started(prefix, "multi_camera", "depth_node", rviz="true", cameras="front,rear", rviz_camera="rear")
    arguments = " ".join(json.loads(Path(f"{rviz}.json").read_text())["arguments"])
    for wanted in ("image:=rear/image_raw", "depth/points:=rear/depth/points", "-f rear_optical_frame", "/depth.rviz"):
        assert wanted in arguments


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("multi_camera", {"images": "/camera/image_raw"}, "images:=/camera/image_raw would be one topic for all"),
        ("multi_camera", {"images": ""}, "images:= would be one topic for all cameras: write {camera} for the name"),
        ("multi_camera", {"cameras": "[]"}, "give them with commas between, cameras:=front,rear"),
        ("multi_camera", {"rviz": "true", "rviz_camera": "left"}, "rviz_camera:=left is none of the cameras: take one"),
        ("multi_camera", {"rviz": "true", "rviz_display": "nothing"}, "Valid options are: ['depth', 'classes']"),
        ("depth", {"rviz_display": "nothing"}, "Valid options are: ['depth', 'classes']"),
    ],
)
def test_what_cannot_be_launched_is_one_line(launch, prefix, name, given, says):
    assert says in failed(prefix, name, **given)


def test_a_bag_is_played_to_the_node(launch, prefix, monkeypatch):
    note_both(prefix / "bin/depth_node", prefix / "bin/depth")
    monkeypatch.setenv("PATH", f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}")
    arguments, _, overrides = started(prefix, "replay", "depth_node", bag="/data/a bag", rate="0.5", image="/c/image")
    assert overrides == {"use_sim_time": True}
    assert "image:=/c/image" in arguments
    noted = json.loads((prefix / "bin/depth.json").read_text())["arguments"]
    assert noted == ["play", "/data/a bag", "--clock", "--rate", "0.5", "--subscribers", "1", "--wait", "120"]


@pytest.mark.parametrize(
    ("name", "given", "package"),
    [
        ("usb_camera", {}, "ros-kilted-usb-cam"),
        ("usb_camera", {"driver": "v4l2_camera"}, "ros-kilted-v4l2-camera"),
        ("realsense", {}, "ros-kilted-realsense2-camera"),
    ],
)
def test_a_missing_driver_is_named(launch, prefix, monkeypatch, name, given, package):
    monkeypatch.setenv("ROS_DISTRO", "kilted")
    assert f"sudo apt install {package}" in failed(prefix, name, **given)
    assert not (prefix / "bin/depth_node.json").exists()


@pytest.mark.parametrize(
    ("name", "package", "executable", "image", "wanted"),
    [
        ("usb_camera", "usb_cam", "usb_cam_node_exe", "/camera/image_raw", {"image_width": 640, "image_height": 480}),
        ("usb_camera", "v4l2_camera", "v4l2_camera_node", "/camera/image_raw", {"image_size": [640, 480]}),
        (
            "realsense",
            "realsense2_camera",
            "realsense2_camera_node",
            "/camera/color/image_raw",
            {"enable_color": True, "enable_depth": False},
        ),
    ],
)
def test_an_installed_driver_is_started(launch, prefix, name, package, executable, image, wanted):
    program = prefix / f"lib/{package}/{executable}"
    note_both(prefix / "bin/depth_node", program)
    (prefix / f"share/ament_index/resource_index/packages/{package}").touch()
    arguments, *_ = started(prefix, name, "depth_node")
    assert f"image:={image}" in arguments
    texts = json.loads(Path(f"{program}.json").read_text())["texts"]
    trees = [yaml.safe_load(text.replace("!!python/tuple", "")) for text in texts]  # ROS passes over the tag, too
    given = {key: value for tree in trees for part in tree.values() for key, value in part["ros__parameters"].items()}
    assert wanted.items() <= given.items()


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


BESIDE = """
import os, signal, sys, threading, time
from launch import LaunchDescription, LaunchService
from launch.actions import ExecuteProcess, IncludeLaunchDescription, OpaqueFunction
from launch_ros.ros_adapters import get_ros_adapter
file, *given = sys.argv[1:]
include = IncludeLaunchDescription(file, launch_arguments=[pair.split(":=", 1) for pair in given])
slow = "import signal, time; signal.signal(signal.SIGINT, lambda *_: (time.sleep(2), exit())); time.sleep(60)"
others = [OpaqueFunction(function=lambda context: get_ros_adapter(context) and None)]  # as a lifecycle node has it
others += [ExecuteProcess(cmd=[sys.executable, "-c", slow])]
service = LaunchService(noninteractive=True)
service.include_launch_description(LaunchDescription([*others, include]))
def interrupt():
    while not os.path.exists(os.environ["NOTE"]):
        time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
sys.exit(service.run())
"""
"""A file beside a process that takes its time to end; Ctrl-C as soon as the file's own has noted what it is given."""
UNTIL_INTERRUPTED = """
import contextlib, time
with contextlib.suppress(KeyboardInterrupt):
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("name", "program", "given"),
    [
        ("depth", "depth_node", {}),
        ("record", "recorder_node", {"bags": "/data/monday", "output": "/data/out"}),
        ("retrain", "depth", {"bags": "/data/monday", "output": "/n/1"}),
    ],
)
def test_what_is_interrupted_ends_once(launch, prefix, monkeypatch, name, program, given):
    """The end of our process, while launch waits for others, is no second shutdown, which launch_ros cannot take."""
    path = prefix / "bin" / program
    path.write_text(PROGRAM.format(python=sys.executable) + UNTIL_INTERRUPTED)
    monkeypatch.setenv("PATH", f"{prefix / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("NOTE", f"{path}.json")
    done = launched(prefix, name, script=BESIDE, **given)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ROS adapter" not in done.stdout + done.stderr


NAVIGATION = """
import sys
from pathlib import Path
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration

def generate_launch_description():
    names = ("params_file", "namespace", "use_sim_time")
    note = str(Path(__file__).parent / "noted")
    code = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(' '.join(sys.argv[2:]))"
    given = [LaunchConfiguration(name) for name in names]
    process = ExecuteProcess(cmd=[sys.executable, "-c", code, note, *given])
    return LaunchDescription([*(DeclareLaunchArgument(name) for name in names), process])
"""
"""What stands in for nav2_bringup's own file: it notes what it is given."""


def test_nav2_gets_the_robots_parameters_with_the_costmap_over_them(launch, prefix):
    share = prefix / "share/nav2_bringup"
    (share / "launch").mkdir(parents=True)
    (share / "launch/navigation_launch.py").write_text(NAVIGATION)
    (prefix / "share/ament_index/resource_index/packages/nav2_bringup").write_text("")
    robot = {"local_costmap": {"local_costmap": {"ros__parameters": {"plugins": ["scan"], "width": 9}}}, "other": 1}
    (prefix / "robot.yaml").write_text(yaml.safe_dump(robot))
    _, _, overrides = started(
        prefix, "nav2", "depth_node", nav2_params=prefix / "robot.yaml", namespace="/front", image="/cam"
    )
    assert overrides == {"use_sim_time": False, "points.preset": "obstacles"}
    file, *others = (share / "launch/noted").read_text().split()
    assert others == ["/front", "false"]
    merged = yaml.safe_load(Path(file).read_text())
    costmap = merged["local_costmap"]["local_costmap"]["ros__parameters"]
    assert (merged["other"], costmap["width"], costmap["plugins"]) == (1, 9, ["depth_layer", "inflation_layer"])
    Path(file).unlink()


def test_without_nav2_the_live_node_is_started_alone(launch, prefix):
    arguments, _, overrides = started(prefix, "nav2", "depth_node", image="/cam", checkpoint="/my.safetensors")
    assert overrides == {"use_sim_time": False, "checkpoint": "/my.safetensors", "points.preset": "obstacles"}
    assert "image:=/cam" in arguments


@pytest.mark.parametrize("shown", ["depth", "classes"])
def test_rviz_gets_the_display_that_is_chosen(launch, shown):
    context = launch.LaunchContext()
    context.launch_configurations["rviz_display"] = shown
    (rviz,) = [entity for entity in description("depth").entities if entity.condition is not None]
    assert [part.perform(context) for part in rviz.cmd[1]] == ["-d"]
    name = "".join(part.perform(context) for part in rviz.cmd[2][1:])
    assert (ROOT / name.lstrip("/")).exists()
    assert name == f"/rviz/{shown}.rviz"
