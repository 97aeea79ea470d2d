# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The live node's transitions and parameters, in this process."""

import dataclasses
import gc
import shutil
import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import SetBool

from depth_node.checkpoints.depth import read_info, restate
from depth_node.checkpoints.published.catalogue import PUBLISHED
from depth_node.config.network import ARCHITECTURES
from depth_node.inference.backends import openvino_backend
from depth_node.inference.estimator import DepthEstimator
from depth_node.networks.depth_model import DepthModel
from depth_node.ros.live.camera_input import CameraFrame
from depth_node.ros.live.label_info import LabelInfo
from depth_node.ros.live.node import DepthNode
from depth_node.ros.messages import fill_image, pinhole_info

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


@pytest.fixture
def make(ros, small_checkpoint):
    nodes = []

    def node(**parameters):
        given = {"checkpoint": str(small_checkpoint), "backend": "torch"} | parameters
        overrides = [Parameter(name.replace("__", "."), value=value) for name, value in given.items()]
        nodes.append(DepthNode(namespace="unit", parameter_overrides=overrides))
        return nodes[-1]

    yield node
    for node_ in nodes:
        node_.destroy_node()


def topics(node):
    """What it publishes of frames, without its namespace."""
    return {publisher.topic_name for publisher in node.publishers if publisher.topic_name.startswith("/unit/")} - {
        "/unit/rosout",
        "/unit/parameter_events",
    }


def test_the_whole_life_three_times(make):
    node = make()
    for _ in range(3):
        assert node.trigger_configure() == SUCCESS
        assert len(list(node.publishers)) > 4
        assert node.trigger_activate() == SUCCESS
        heard = {subscription.topic_name for subscription in node.subscriptions}
        assert heard >= {"/unit/image", "/unit/camera_info", "/unit/lidar/points", "/unit/scan", "/unit/odom"}
        assert node.trigger_deactivate() == SUCCESS
        assert len(list(node.subscriptions)) == 0
        assert node.trigger_cleanup() == SUCCESS
        assert node._estimator is None
        assert not any("depth/" in publisher.topic_name for publisher in node.publishers)
    assert node.trigger_shutdown() == SUCCESS


def test_several_cameras_share_one_model(make):
    def alive(kind):
        return [each for each in gc.get_objects() if type(each) is kind]

    gc.collect()
    before = len(alive(DepthModel)), len(alive(DepthEstimator))
    node = make(cameras=["front", "rear", "left"])
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS
    assert (len(alive(DepthModel)), len(alive(DepthEstimator))) == (before[0] + 1, before[1] + 1)
    heard = {subscription.topic_name for subscription in node.subscriptions}
    assert {f"/unit/{name}/image" for name in ("front", "rear", "left")} < heard
    assert {"/unit/lidar/points", "/unit/odom"} < heard  # sensors of the vehicle serve all cameras
    assert "/unit/rear/depth/points" in topics(node)
    assert "/unit/depth/points" not in topics(node)
    assert len({id(camera.scale) for camera in node._cameras}) == 3
    assert len({id(camera.statistics) for camera in node._cameras}) == 3
    node.trigger_deactivate()
    node.trigger_cleanup()
    assert node._cameras == []


def test_a_camera_can_have_parameters_of_its_own(make):
    given = {"front__scale__fixed": 4, "rear__scale__camera_height": 1.5, "rear__rectify": "never"}
    node = make(cameras="front, rear", depth__max=50.0, **given)
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS

    def of(name):
        return node._config_of(name)

    assert (of("front").depth.max, of("rear").depth.max) == (50.0, 50.0)
    assert (of("front").rectify, of("rear").rectify) == ("auto", "never")
    assert (of("front").scale.camera_height, of("rear").scale.camera_height) == (0.0, 1.5)
    front, rear = node._cameras
    assert (front.scale.state.scale, rear.scale.state.scale) == (4.0, 10.0)
    before = front.scale, rear.scale
    changes = {"front.scale.fixed": 5, "rear.scale.camera_height": 2.0, "depth.max": 60.0}
    assert all(r.successful for r in node.set_parameters([Parameter(n, value=v) for n, v in changes.items()]))
    assert front.scale is before[0]
    assert front.scale.state.scale == 5.0
    assert rear.scale is not before[1]  # another height is another source
    assert (of("rear").scale.camera_height, of("rear").depth.max) == (2.0, 60.0)
    [result] = node.set_parameters([Parameter("rear.rectify", value="always")])
    assert "cannot change while the node is configured" in result.reason
    assert not node.set_parameters([Parameter("rear.scale.camera_height", value=-1.0)])[0].successful
    assert of("rear").scale.camera_height == 2.0


def test_enable_pauses_every_camera_and_its_own_parameter_that_one(make):
    node = make(cameras="front, rear", front__enabled=True)
    assert node.trigger_configure() == SUCCESS

    def enabled():
        return [camera.config.enabled for camera in node._cameras]

    answer = node._on_enable(SetBool.Request(data=False), SetBool.Response())
    assert (answer.success, enabled()) == (True, [False, False])
    assert node.set_parameters([Parameter("front.enabled", value=False)])[0].successful
    node._on_enable(SetBool.Request(data=True), SetBool.Response())
    assert enabled() == [False, True]
    assert node.set_parameters([Parameter("front.enabled", value=True)])[0].successful
    assert enabled() == [True, True]


def test_pictures_taken_at_once_are_one_batch(make):
    """And others are not, nor where the back end takes one at a time."""
    node = make(cameras=["front", "rear", "left"])
    node.trigger_configure()
    node.trigger_activate()
    for topic in ("front", "rear", "left"):
        node.create_subscription(Image, f"{topic}/depth/image_rect", lambda _: None, 10)
    wait_for(lambda: all(camera.outputs.wanted() for camera in node._cameras))
    backend, worker, sizes = node._estimator.backend, node._worker, []
    run = backend.run
    backend.run = lambda batch, *more: (sizes.append(len(batch)), run(batch, *more))[1]

    def submit(number, milliseconds):
        image = fill_image(Image(), Header(frame_id="x"), np.zeros((48, 96, 3), np.uint8), "rgb8")
        image.header.stamp.nanosec = milliseconds * 1_000_000
        info = pinhole_info(image.header, np.array([[80.0, 0, 47.5], [0, 80, 23.5], [0, 0, 1]]), 96, 48)
        worker.submit(node._cameras[number], CameraFrame(image, info, 0.0))

    def published():
        return sum(camera.statistics.snapshot().published for camera in node._cameras)

    for takes_batches, expected in ((True, [1, 2, 1]), (False, [1, 1, 1, 1])):
        backend.batches = takes_batches
        sizes.clear()
        done = published()
        with worker.between_frames():
            submit(0, 0)
            wait_for(lambda: not worker._slots._items)  # the worker has it, and waits
            for number, stamp in ((0, 100), (1, 150), (2, 108)):
                submit(number, stamp)
        wait_for(lambda done=done: published() == done + 4)
        assert sizes == expected


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_sources_of_scale_change_while_it_runs(make):
    node = make()
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS
    before = node._cameras[0].scale
    assert node.set_parameters([Parameter("scale.source", value="odometry")])[0].successful
    heard = {subscription.topic_name for subscription in node.subscriptions}
    assert "/unit/odom" in heard
    assert not {"/unit/lidar/points", "/unit/scan", "/unit/range"} & heard
    assert node._cameras[0].scale is not before
    assert not before._thread.is_alive()
    assert node.set_parameters([Parameter("scale.fixed", value=3.0)])[0].successful
    assert node._estimator.scale == 3.0
    assert not node.set_parameters([Parameter("scale.camera_height", value=-1.0)])[0].successful
    node.trigger_deactivate()
    assert node._cameras[0].scale is None


def test_network_units_are_no_metres(make, small_checkpoint, tmp_path):
    unscaled = tmp_path / "unscaled.safetensors"
    shutil.copy(small_checkpoint, unscaled)
    restate(unscaled, dataclasses.replace(read_info(unscaled), scale=1.0, scale_source="none"))
    node = make(checkpoint=str(unscaled))
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS
    assert "depth is in network units" in node._cameras[0].scale_problem(node._estimator)
    assert node.set_parameters([Parameter("scale.fixed", value=3.0)])[0].successful
    assert node._cameras[0].scale_problem(node._estimator) == ""
    assert node._report()[2]["scale source"] == "fixed"
    node.trigger_deactivate()


def test_published_weights_by_name(make, small_checkpoint, tmp_path, monkeypatch, capfd):
    name = "monodepth2:mono_640x192"
    monkeypatch.setenv("DEPTH_NODE_CACHE", str(tmp_path))
    monkeypatch.setenv("DEPTH_NODE_MIRROR", "http://127.0.0.1:9")
    for wrong, problem in ((name, "cannot be reached"), (name[:-1], f"did you mean {name}?")):
        node = make(checkpoint=wrong)
        assert node.trigger_configure() == FAILURE
        assert problem in node._problem
        assert "\n" not in node._problem
    assert f"{name}: downloading http://127.0.0.1:9/mono_640x192.zip" in capfd.readouterr().err
    kept = tmp_path / "monodepth2/mono_640x192" / f"mono_640x192-{PUBLISHED[name].md5[:12]}.safetensors"
    shutil.copy(small_checkpoint, kept)
    restate(kept, dataclasses.replace(read_info(kept), licence="for non-commercial use only"))
    assert make(checkpoint=name).trigger_configure() == SUCCESS
    said = capfd.readouterr().err
    assert said.count(f"{kept.name}: for non-commercial use only") == 1
    assert "[WARN]" in said.replace("\033", "")


def test_semantic_topics_only_with_a_semantic_network(make, guided_checkpoint):
    depth = {
        f"/unit/depth/{name}" for name in ("image_rect", "camera_info", "points", "image_color", "confidence", "scale")
    }
    semantic = {f"/unit/semantic/{name}" for name in ("image", "image_color", "mask", "classes")}
    semantic |= set() if LabelInfo is None else {"/unit/semantic/label_info"}
    for parameters, wanted, says in (
        ({}, depth, ("lite_hr_depth 128x64", "none")),
        (
            {"checkpoint": str(guided_checkpoint)},
            depth | semantic,
            ("lite_hr_depth 128x64, guided", "fpn tu-mobilenetv3_small_050, 19 classes"),
        ),
    ):
        node = make(**parameters)
        assert node.trigger_configure() == SUCCESS
        assert {name for name in topics(node) if "depth/" in name or "semantic/" in name} == wanted
        values = node._report()[2]
        assert (values["model"], values["semantic network"]) == says
        node.trigger_cleanup()
        assert not any("semantic/" in name for name in topics(node))


SLOW = pytest.mark.slow  # half a gigabyte of weights


@pytest.mark.parametrize("guided", [False, True], ids=["plain", "guided"])
@pytest.mark.parametrize(
    "architecture", [pytest.param(name, marks=SLOW if name == "packnet01" else ()) for name in ARCHITECTURES]
)
def test_every_network_comes_up(make, make_semantic_checkpoint, tmp_path, architecture, guided):
    make_semantic_checkpoint(tmp_path / "net.safetensors", architecture, guided, height=64, width=64)
    node = make(checkpoint=str(tmp_path / "net.safetensors"))
    assert node.trigger_configure() == SUCCESS, node._problem
    assert node._report()[2]["model"] == f"{architecture} 64x64" + ", guided" * guided


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"checkpoint": "/nowhere.safetensors"}, "/nowhere.safetensors does not exist"),
        ({"checkpoint": __file__}, "not a depth_node checkpoint"),
        ({"depth__maxi": 5.0}, "did you mean 'depth.max'"),
        ({"depth__max": "far"}, "'depth.max' is 'far' but must be of type float"),
        ({"depth__max": -1.0}, "out of bounds"),
        ({"depth__min": 90.0}, "must be below 'depth.max'"),
        ({"cameras": ["front", "front"]}, "parameter 'cameras' has 'front' twice"),
        ({"cameras": ["front", "2nd"]}, "parameter 'cameras' has '2nd', which is no name for topics"),
        ({"cameras": ["front", ""]}, "parameter 'cameras' has '', which is no name for topics"),
        ({"cameras": ["front", "depth"]}, "'depth', which is a parameter's name: call it depth_camera"),
        ({"cameras": ["front"], "front__depth__max": -1.0}, "'front.depth.max' is -1.0, out of bounds"),
        ({"cameras": ["front"], "front__depth__max": 0.05}, "'front': parameter 'depth.min' is 0.1 but must be below"),
        ({"cameras": ["front"], "rear__depth__max": 5.0}, "unknown parameter 'rear.depth.max'"),
        ({"cameras": ["front"], "front__checkpoint": "real"}, "'front.checkpoint': all share one 'checkpoint'"),
        ({"cameras": "front,re ar"}, "parameter 'cameras' has 're ar', which is no name for topics"),
        ({"precision": "int8"}, "one of auto, fp32, fp16, bf16"),
        ({"backend": "tensorrt"}, "parameter 'backend' is 'tensorrt' but must be one of auto, torch, openvino, onnx"),
        ({"runtime": "torch"}, "unknown parameter 'runtime'"),
        ({"scale__source": "wheels"}, "parameter 'scale.source' is 'wheels' but must be one of auto, lidar"),
        ({"scale__source": "fixed"}, "set 'scale.fixed' to metres per network unit too"),
        ({"scale__extrinsics": "/nowhere.yaml"}, "cannot read extrinsics /nowhere.yaml"),
        ({"qos_overrides./unit/depth/points.publisher.dept": 3}, "publisher.depth'?"),
    ],
)
def test_configure_fails_with_the_reason(make, parameters, words):
    node = make(**parameters)
    assert node.trigger_configure() == FAILURE
    assert words in node._problem
    assert "\n" not in node._problem
    assert node._report()[:2] == ("error", node._problem)


def test_what_computes_the_network_is_said(make, monkeypatch):
    """And a back end that is not installed is torch, not a failure."""
    monkeypatch.setattr(openvino_backend, "missing", lambda: ["openvino"])
    node = make(backend="openvino")
    assert node.trigger_configure() == SUCCESS
    assert node._report()[2]["backend"] == "torch"


def test_a_failed_configure_can_be_repaired(make, small_checkpoint):
    node = make(checkpoint="/nowhere.safetensors")
    assert node.trigger_configure() == FAILURE
    [result] = node.set_parameters([Parameter("checkpoint", value=str(small_checkpoint))])
    assert result.successful
    assert node.trigger_configure() == SUCCESS


def test_whole_numbers_do_for_doubles_at_the_start(make):
    node = make(depth__max=50)
    assert node.trigger_configure() == SUCCESS
    assert node._config.depth.max == 50.0


def test_live_parameters_change_and_others_do_not(make):
    node = make()
    node.trigger_configure()
    assert node._estimator.scale == 10.0
    results = node.set_parameters(
        [
            Parameter("scale.fixed", value=3.0),
            Parameter("depth.max", value=40.0),
            Parameter("precision", value="bf16"),
            Parameter("depth.min", value=41.0),
            Parameter("points.stride", value=0),
        ]
    )
    assert [result.successful for result in results] == [True, True, False, False, False]
    assert "clean up first" in results[2].reason
    assert "below 'depth.max'" in results[3].reason
    assert node._estimator.scale == 3.0
    assert node._config.depth.max == 40.0
    node.trigger_cleanup()
    assert node.set_parameters([Parameter("precision", value="bf16")])[0].successful


def test_parameters_are_described(make):
    about = make().describe_parameter("depth.max")
    assert "in m" in about.description
    assert about.floating_point_range[0].to_value == 10000.0
    assert "raw, compressed" in make().describe_parameter("image_transport").additional_constraints
