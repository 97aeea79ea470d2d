# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The live node's transitions and parameters, in this process."""

import dataclasses
import shutil

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from depth_node.checkpoints.depth import read_info, restate
from depth_node.checkpoints.published.catalogue import PUBLISHED
from depth_node.config.network import ARCHITECTURES
from depth_node.inference.backends import openvino_backend
from depth_node.ros.live.label_info import LabelInfo
from depth_node.ros.live.node import DepthNode

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


def test_sources_of_scale_change_while_it_runs(make):
    node = make()
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS
    before = node._scale
    assert node.set_parameters([Parameter("scale.source", value="odometry")])[0].successful
    heard = {subscription.topic_name for subscription in node.subscriptions}
    assert "/unit/odom" in heard
    assert not {"/unit/lidar/points", "/unit/scan", "/unit/range"} & heard
    assert node._scale is not before
    assert not before._thread.is_alive()
    assert node.set_parameters([Parameter("scale.fixed", value=3.0)])[0].successful
    assert node._estimator.scale == 3.0
    assert not node.set_parameters([Parameter("scale.camera_height", value=-1.0)])[0].successful
    node.trigger_deactivate()
    assert node._scale is None


def test_network_units_are_no_metres(make, small_checkpoint, tmp_path):
    unscaled = tmp_path / "unscaled.safetensors"
    shutil.copy(small_checkpoint, unscaled)
    restate(unscaled, dataclasses.replace(read_info(unscaled), scale=1.0, scale_source="none"))
    node = make(checkpoint=str(unscaled))
    assert node.trigger_configure() == SUCCESS
    assert node.trigger_activate() == SUCCESS
    assert "depth is in network units" in node._scale_problem()
    assert node.set_parameters([Parameter("scale.fixed", value=3.0)])[0].successful
    assert node._scale_problem() == ""
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
