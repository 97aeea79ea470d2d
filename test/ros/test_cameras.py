# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One live node process that serves three cameras, which this process plays."""

import dataclasses
import time

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Float32

from depth_node.checkpoints.depth import read_info, restate
from depth_node.inference.estimator import DepthEstimator
from depth_node.ros.messages import depth_of, fill_image, pinhole_info, stamp_ns

SIZES = {"front": (96, 48), "rear": (64, 64), "left": (128, 40)}
"""Width and height of the pictures."""
ALONE = ("scale.source:=checkpoint", "scale.smoothing:=false", "depth.full_resolution:=true", "depth.max:=10000.0")
"""Depth is then the network's, at the camera's size."""


@pytest.fixture(scope="module")
def node(start, small_checkpoint):
    parameters = (f"checkpoint:={small_checkpoint}", "cameras:=[front, rear, left]", *ALONE)
    given = [word for parameter in parameters for word in ("-p", parameter)]
    names = ("-r", "__ns:=/car", "-r", "rear/image:=/car/rear/image_raw")
    program = start("depth_node.ros.main", "depth_node", "--ros-args", *given, *names)
    program.wait_for("active: images from '/car/left/image', calibration from '/car/left/camera_info'")
    return program


class Rig:
    """The cameras: pictures of random pixels, whose stamps coincide where they are sent together."""

    def __init__(self, listener):
        self._listener, self._time = listener, time.time_ns()
        self.pictures = {name: {} for name in SIZES}
        self._draw = np.random.default_rng(0)
        topics = {name: f"/car/{name}/image" + "_raw" * (name == "rear") for name in SIZES}
        self._images = {name: listener.node.create_publisher(Image, topic, 10) for name, topic in topics.items()}
        self._infos = {n: listener.node.create_publisher(CameraInfo, f"/car/{n}/camera_info", 10) for n in SIZES}

    def listen(self, kind, topic, names=SIZES):
        """Subscribe to a topic of some cameras, and wait until the node takes their pictures."""
        for name in names:
            self._listener.subscribe(kind, f"/car/{name}/{topic}")
        assert self._listener.spin_until(
            lambda: all(each[n].get_subscription_count() for each in (self._images, self._infos) for n in names)
        )
        self._listener.spin_for(1.0)  # the node matches reliability

    def send(self, *names, encoding="rgb8"):
        """One picture of each camera, taken at once; returns the stamp."""
        self._time += 100_000_000
        for name in names:
            width, height = SIZES[name]
            pixels = self._draw.integers(0, 255, (height, width, 3), np.uint8)
            image = fill_image(Image(), Image().header, pixels, "rgb8")
            image.header.stamp.sec, image.header.stamp.nanosec = divmod(self._time, 10**9)
            image.header.frame_id, image.encoding = f"{name}_optical_frame", encoding
            self.pictures[name][self._time] = pixels
            self._infos[name].publish(pinhole_info(image.header, intrinsics(name), width, height))
            self._images[name].publish(image)
        return self._time

    def drive_until(self, condition, *names, **options):
        """Send pictures until the condition holds."""
        for _ in range(200):
            self.send(*names, **options)
            if self._listener.spin_until(condition, timeout=0.2):
                return
        pytest.fail("nothing came of it")

    def received(self, topic):
        """Messages of a topic by camera."""
        found = {name: self._listener.received.get(f"/car/{name}/{topic}") for name in SIZES}
        return {name: messages for name, messages in found.items() if messages is not None}


def intrinsics(name):
    width, height = SIZES[name]
    return np.array([[0.9 * width, 0, (width - 1) / 2], [0, 0.9 * width, (height - 1) / 2], [0, 0, 1]])


@pytest.fixture
def rig(node, listener):
    return Rig(listener)


def statuses(listener):
    """The last status of the node and of each camera."""
    arrays = [array for array in listener.received["/diagnostics"] if array.status[0].name == "car/depth_node"]
    return {status.name: status for status in arrays[-1].status} if arrays else {}


def test_each_camera_gets_depth_of_its_own_pictures(rig, listener, small_checkpoint):
    for kind, topic in ((Image, "depth/image_rect"), (CameraInfo, "depth/camera_info"), (PointCloud2, "depth/points")):
        rig.listen(kind, topic)
    rig.drive_until(lambda: all(len(each) >= 3 for each in rig.received("depth/image_rect").values()), *SIZES)
    listener.spin_for(1.0)
    alone = DepthEstimator.from_checkpoint(small_checkpoint, "cpu")
    for name, images in rig.received("depth/image_rect").items():
        width, height = SIZES[name]
        infos = {stamp_ns(info.header): info for info in rig.received("depth/camera_info")[name]}
        clouds = {stamp_ns(cloud.header): cloud for cloud in rig.received("depth/points")[name]}
        for image in images[:3]:
            stamp = stamp_ns(image.header)
            assert image.header.frame_id == f"{name}_optical_frame"
            assert (image.width, image.height) == (width, height)
            expected = alone.estimate(rig.pictures[name][stamp], intrinsics(name), full_resolution=True)
            np.testing.assert_allclose(depth_of(image), expected.depth, rtol=1e-4)
            assert infos[stamp].header == clouds[stamp].header == image.header
            assert (infos[stamp].width, infos[stamp].height) == (width, height)
            np.testing.assert_allclose(np.reshape(infos[stamp].k, (3, 3)), intrinsics(name))


def test_a_fast_camera_does_not_starve_a_slow_one(rig, listener):
    rig.listen(Image, "depth/image_rect", ("front", "rear"))

    def answered(stamp):
        return any(stamp_ns(image.header) == stamp for image in rig.received("depth/image_rect")["rear"])

    for _ in range(4):
        stamp = rig.send("rear")
        for _ in range(1000):
            rig.send("front")
            if listener.spin_until(lambda: answered(stamp), timeout=0.005):  # noqa: B023
                break
        assert answered(stamp)
    assert rig.received("depth/image_rect")["front"]


def test_a_silent_camera_is_named_while_the_others_go_on(rig, listener):
    rig.listen(Image, "depth/image_rect")
    listener.subscribe(DiagnosticArray, "/diagnostics")
    silence = "no image on '/car/left/image'"

    def is_told():
        found = statuses(listener)
        messages = {name.partition(": ")[2]: status.message for name, status in found.items()}
        return found and messages["front"] == messages["rear"] == "running" and messages["left"].startswith(silence)

    rig.drive_until(is_told, "front", "rear")
    found = statuses(listener)
    assert list(found) == ["car/depth_node", *(f"car/depth_node: {name}" for name in SIZES)]
    assert found["car/depth_node"].message.startswith(f"left: {silence}")
    assert found["car/depth_node"].level == found["car/depth_node: left"].level == DiagnosticStatus.WARN
    assert found["car/depth_node: rear"].level == DiagnosticStatus.OK
    shared = {value.key for value in found["car/depth_node"].values}
    own = {value.key for value in found["car/depth_node: rear"].values}
    assert {"model", "backend", "memory [MiB]", "images received"} <= shared
    assert {"rate [Hz]", "latency p95 [ms]", "scale source", "image publishers"} <= own


def test_bad_pictures_cost_their_own_camera_only(rig, node):
    rig.listen(Image, "depth/image_rect", ("front", "rear"))
    rig.drive_until(
        lambda: "[car.depth_node.rear]" in node.output and "thermal7" in node.output, "rear", encoding="thermal7"
    )

    def send_both():
        rig.send("rear", encoding="thermal7")
        return len(rig.received("depth/image_rect")["front"]) >= 3

    rig.drive_until(send_both, "front")
    assert not rig.received("depth/image_rect")["rear"]


def test_another_checkpoint_takes_over_for_all(rig, node, listener, small_checkpoint, tmp_path):
    other = tmp_path / "other.safetensors"
    restate(
        small_checkpoint, dataclasses.replace(read_info(small_checkpoint), scale=500.0, scale_source="given"), other
    )
    rig.listen(Float32, "depth/scale", ("front", "rear"))

    def have_all(scale):
        return lambda: all(any(m.data == scale for m in each) for each in rig.received("depth/scale").values())

    rig.drive_until(have_all(10.0), "front", "rear")
    client = AsyncParameterClient(listener.node, "/car/depth_node")
    assert listener.spin_until(client.services_are_ready)
    done = client.set_parameters([Parameter("checkpoint", value=str(other))])
    assert listener.spin_until(done.done)
    rig.drive_until(lambda: "has taken over" in node.output, "front", "rear")
    rig.drive_until(have_all(500.0), "front", "rear")
    for scales in rig.received("depth/scale").values():
        came = [message.data for message in scales]
        assert came == sorted(came)
        assert set(came) == {10.0, 500.0}
