# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The live node from an exported network, in a process in which PyTorch cannot be imported."""

import re
import time

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from depth_node.checkpoints.depth import load_checkpoint
from depth_node.config.classes import CITYSCAPES
from depth_node.config.export import ExportConfig
from depth_node.export.exporting import export_checkpoint
from depth_node.inference.engine import open_engine
from depth_node.inference.estimator import DepthEstimator
from depth_node.ros.live.camera_input import CameraFrame
from depth_node.ros.live.node import DepthNode
from depth_node.ros.messages import depth_of, fill_image, labels_of, pinhole_info, points_of

BLOCKED = "import sys; sys.modules.update(dict.fromkeys(('torch', 'torchvision', 'timm', 'safetensors', 'onnx')))"
LIST = """import atexit, sys
def imported():
    return sorted({name.partition(".")[0] for name in sys.modules if sys.modules[name]})
atexit.register(lambda: print("IMPORTED", *imported()))
"""
TRAINING = {"lightning", "trimesh", "scipy", "torchmetrics", "tensorboard", "matplotlib", "rosbags", "sympy", "onnx"}
OF_TORCH = {"sympy", "scipy"}
"""What PyTorch and timm import by themselves."""
HEIGHT, WIDTH = 80, 150
K = np.array([[120.0, 0, 74.5], [0, 120.0, 39.5], [0, 0, 1]])
TOPICS = {"depth/image_rect": Image, "semantic/image": Image, "depth/points": PointCloud2, "depth/confidence": Image}


@pytest.fixture(scope="module")
def checkpoint(make_semantic_checkpoint, tmp_path_factory):
    """With classes; of a network that is quickly exported."""
    path = tmp_path_factory.mktemp("checkpoint") / "classes.safetensors"
    make_semantic_checkpoint(path, "monodepth2_resnet18", guided=False)
    return path


@pytest.fixture(scope="module")
def exported(checkpoint, tmp_path_factory):
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    path = tmp_path_factory.mktemp("exported") / "classes.onnx"
    export_checkpoint(load_checkpoint(checkpoint, with_pose=False), path, ExportConfig(verify=False))
    return path


@pytest.fixture(scope="module")
def picture():
    """Blocks of colour, (H, W, 3) uint8: nothing in it hangs on the last bit."""
    small = np.random.default_rng(3).integers(0, 256, (HEIGHT // 10, WIDTH // 10, 3), np.uint8)
    return np.ascontiguousarray(small.repeat(10, 0).repeat(10, 1))


@pytest.fixture(scope="module")
def node(start, exported):
    arguments = ("--ros-args", "-p", f"checkpoint:={exported}", "-p", "backend:=auto", "-p", "scale.smoothing:=false")
    program = start("depth_node.ros.main", "depth_node", *arguments, before=f"{BLOCKED}\n{LIST}")
    program.wait_for("active: images from '/image'")
    return program


def drive_until(listener, picture, condition, namespace=""):
    """Send the picture until the condition holds."""
    images = listener.node.create_publisher(Image, f"{namespace}image", 10)
    infos = listener.node.create_publisher(CameraInfo, f"{namespace}camera_info", 10)
    for _ in range(200):
        message = fill_image(Image(), Image().header, picture, "rgb8")
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(time.time_ns(), 10**9)
        infos.publish(pinhole_info(message.header, K, WIDTH, HEIGHT))
        images.publish(message)
        if listener.spin_until(condition, timeout=0.5):
            return
    pytest.fail("nothing came of it")


def set_parameters(listener, node, **values):
    """Change a node's parameters; returns whether it took all."""
    client = AsyncParameterClient(listener.node, node)
    assert listener.spin_until(client.services_are_ready)
    done = client.set_parameters([Parameter(name.replace("__", "."), value=value) for name, value in values.items()])
    assert listener.spin_until(done.done)
    return all(result.successful for result in done.result().results)


def test_it_publishes_what_pytorch_sees(node, listener, checkpoint, picture):
    """Depth, classes, confidence and cloud over DDS beside those of the checkpoint in PyTorch."""
    for topic, kind in TOPICS.items():
        listener.subscribe(kind, topic)
    drive_until(listener, picture, lambda: all(listener.received[topic] for topic in TOPICS))
    found = {topic: listener.received[topic][-1] for topic in TOPICS}
    torch_says = DepthEstimator.from_checkpoint(checkpoint, "cpu").estimate(picture, K, with_confidence=True)
    depth = torch_says.ranged(0.1, 80.0)
    layout = torch_says.cloud_packer(True, 1, False)
    points = layout.points(layout.fill(depth, torch_says.image, torch_says.labels, 0.0, 1000.0).numpy())
    cloud = points_of(found["depth/points"])
    labels = labels_of(found["semantic/image"])
    sky = CITYSCAPES.index("sky")
    assert (labels == torch_says.labels.numpy()).mean() > 0.995
    same = (labels == sky) == (torch_says.labels.numpy() == sky)
    np.testing.assert_allclose(depth_of(found["depth/image_rect"])[same], depth.numpy()[same], rtol=2e-3)
    for axis in "xyz":
        np.testing.assert_allclose(cloud[axis][same], points[axis][same], rtol=3e-3, atol=1e-4)
    assert (cloud["label"] == labels).all()
    confidence = np.frombuffer(bytes(found["depth/confidence"].data), np.uint8).reshape(labels.shape)
    assert np.abs(confidence.astype(int) - torch_says.confidence.numpy()).max() <= 2


def test_another_checkpoint_is_refused_in_a_line(node, listener, small_checkpoint):
    assert set_parameters(listener, "depth_node", checkpoint=str(small_checkpoint))
    assert listener.spin_until(lambda: "is not taken" in node.output)
    line = next(line for line in node.lines if "is not taken" in line)
    assert re.search(
        r"needs PyTorch, which is not installed here: pip install torch .* or where they are `depth export", line
    )


def test_a_road_without_pytorch_is_one_line(node, listener, picture):
    """The other sources go on; this one says why it does not speak, and depth comes all the same."""
    listener.subscribe(Image, "depth/image_rect")
    given = {"scale__source": "camera_height", "scale__camera_height": 1.5, "scale__ground_frame": ""}
    assert set_parameters(listener, "depth_node", **given)
    drive_until(listener, picture, lambda: "no scale from camera_height" in node.output)
    [line] = [line for line in node.lines if "no scale from camera_height" in line]
    assert "the road is found by PyTorch, which is not installed here: pip install torch" in line
    assert listener.received["depth/image_rect"]
    assert "Traceback" not in node.output


def test_networks_of_both_engines_take_over_from_each_other(ros, listener, checkpoint, exported, picture):
    """Classes and clouds of one camera go on, from tensors to arrays and back; the other camera costs nothing."""
    given = {"checkpoint": str(checkpoint), "backend": "torch", "cameras": "left,right"}
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    node = DepthNode(namespace="both", parameter_overrides=overrides)
    assert node.trigger_configure() == node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    topics = {"both/left/depth/points": PointCloud2, "both/left/semantic/mask": Image}
    for topic, kind in topics.items():
        listener.subscribe(kind, topic)
    left, right = node._cameras
    assert listener.spin_until(lambda: len(left.outputs.wanted()) == len(topics))
    for number, other in enumerate((None, exported, checkpoint)):
        if other is not None:
            node._take(open_engine(other, "cpu", backend="auto" if other is exported else "torch"), other.name)
        image = fill_image(Image(), Header(frame_id="left", stamp=Time(sec=number + 1)), picture, "rgb8")
        info = pinhole_info(image.header, K, WIDTH, HEIGHT)
        node._worker.submit(left, CameraFrame(image, info, time.monotonic()))
        count = number + 1
        assert listener.spin_until(lambda count=count: all(len(listener.received[t]) == count for t in topics)), number
    cloud, mask = (listener.received[topic][-1] for topic in topics)
    assert (cloud.width, cloud.height) == (mask.width, mask.height)
    snapshots = [camera.statistics.snapshot() for camera in (left, right)]
    assert [snapshot.published for snapshot in snapshots] == [3, 0]
    assert not snapshots[0].dropped
    node.destroy_node()


def test_nothing_of_training_was_imported(node):
    assert node.stop() == 0, node.output
    imported = set(node.wait_for("^IMPORTED").split())
    assert {"numpy", "rclpy"} <= imported
    assert not imported & (TRAINING | {"torch", "torchvision", "timm", "safetensors"})


def test_by_pytorch_nothing_of_training_is_imported_either(start, small_checkpoint):
    program = start(
        "depth_node.ros.main", "depth_node", "--ros-args", "-p", f"checkpoint:={small_checkpoint}", before=LIST
    )
    program.wait_for("active: images from '/image'")
    assert program.stop() == 0, program.output
    imported = set(program.wait_for("^IMPORTED").split())
    assert "torch" in imported
    assert not imported & (TRAINING - OF_TORCH)


def test_both_engines_see_the_same(exported, checkpoint, picture):
    """What is published at the camera's size, and of a part of the picture."""
    without, by_torch = (
        open_engine(exported, say=lambda _: None),
        DepthEstimator.from_checkpoint(checkpoint, "cpu"),
    )
    wide = np.concatenate([picture, picture[:, ::-1]], axis=1)
    for image in (picture, wide):
        found, expected = (each.estimate(image, K, True, with_confidence=True) for each in (without, by_torch))
        assert expected.labels is not None
        assert expected.confidence is not None
        host = expected.to_host({"depth": expected.depth, "labels": expected.labels, "confidence": expected.confidence})
        same = (found.labels == CITYSCAPES.index("sky")) == (host["labels"] == CITYSCAPES.index("sky"))
        assert same.mean() > 0.99
        np.testing.assert_allclose(found.depth[same], host["depth"][same], rtol=2e-3)
        assert (found.labels == host["labels"]).mean() > 0.99
        assert np.abs(found.confidence.astype(int) - host["confidence"]).max() <= 2
        assert found.view == expected.view


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"backend": "torch"}, "which openvino or onnxruntime runs, not torch"),
        ({"device": "cuda"}, "runs on the CPU, not on 'cuda'"),
        ({"precision": "fp16"}, "needs a CUDA device"),
    ],
)
def test_what_an_exported_network_cannot_is_said(exported, settings, says):
    with pytest.raises(Exception, match=says):
        open_engine(exported, **settings)
