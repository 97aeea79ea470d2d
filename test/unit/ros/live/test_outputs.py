# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from rclpy.executors import SingleThreadedExecutor
from rclpy.logging import LoggingSeverity
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from depth_node.camera.calibration import CameraCalibration
from depth_node.config.classes import CITYSCAPES
from depth_node.config.live import PointSettings
from depth_node.ros.live.camera_stream import translation_at
from depth_node.ros.live.node import DepthNode
from depth_node.ros.live.outputs import millimetres, needs_labels
from depth_node.ros.messages import depth_of, fill_image, labels_of, pinhole_info, points_of

SKY = CITYSCAPES.index("sky")


def test_millimetres_say_nothing_where_metres_do_not():
    depth = np.array([[1.2344, 0.0, -1.0, np.nan], [np.inf, -np.inf, 65.535, 65.536]], np.float32)
    assert millimetres(depth).tolist() == [[1234, 0, 0, 0], [0, 0, 65535, 0]]


def test_a_stereo_camera_keeps_its_baseline():
    eye = (1.0, 0, 0, 0, 1, 0, 0, 0, 1)
    projection = (400.0, 0, 320, -200, 0, 400, 96, 0, 0, 0, 1, 0)  # 0.5 m to the right
    camera = CameraCalibration(640, 192, "plumb_bob", (), eye, eye, projection)
    K = np.array([[100.0, 0, 79.6], [0, 100, 23.6], [0, 0, 1]])
    assert translation_at(K, camera).tolist() == [-50.0, 0, 0]
    mono = CameraCalibration(640, 192, "plumb_bob", (), eye, eye, (0.0,) * 12)
    assert translation_at(K, mono).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("wanted", "in_cloud", "needed"),
    [
        ({"depth/image_rect", "depth/image_color"}, True, False),
        ({"depth/points"}, True, True),
        ({"depth/points"}, False, False),
        ({"semantic/image"}, False, True),
        ({"semantic/mask"}, False, True),
        ({"semantic/image_color", "depth/points"}, False, True),
    ],
)
def test_labels_only_where_somebody_sees_them(wanted, in_cloud, needed):
    assert needs_labels(wanted, PointSettings(labels=in_cloud)) is needed


class Robot:
    """A camera and a subscriber in this process, beside a live node that it spins."""

    def __init__(self, ros, checkpoint):
        given = {"checkpoint": str(checkpoint), "backend": "torch"}
        overrides = [Parameter(name, value=value) for name, value in given.items()]
        self.live = DepthNode(namespace="beside", parameter_overrides=overrides)
        self.node = ros.create_node("robot", namespace="beside")
        self.images = self.node.create_publisher(Image, "image", 10)
        self.infos = self.node.create_publisher(CameraInfo, "camera_info", 10)
        self.received, self.sent = {}, 0
        self._executor = SingleThreadedExecutor()
        for node in (self.live, self.node):
            self._executor.add_node(node)

    def subscribe(self, **topics):
        """Keep the last message of each topic, given by a short name."""
        for name, (kind, topic) in topics.items():
            self.node.create_subscription(kind, topic, lambda m, name=name: self.received.update({name: m}), 10)

    def next(self, *names, tries=200):
        """Send frames until each of the topics has brought something; returns the messages of one stamp."""
        self.received.clear()
        for _ in range(tries):
            self.sent += 1
            pixels = np.random.default_rng(self.sent).integers(0, 256, (48, 96, 3), np.uint8)
            image = fill_image(Image(), Image().header, pixels, "rgb8")
            image.header.stamp.sec = self.sent
            K = np.array([[80.0, 0, 47.5], [0, 80, 23.5], [0, 0, 1]])
            self.infos.publish(pinhole_info(image.header, K, 96, 48))
            self.images.publish(image)
            for _ in range(30):
                self._executor.spin_once(timeout_sec=0.02)
                found = [self.received.get(name) for name in names]
                if all(found) and len({message.header.stamp.sec for message in found}) == 1:
                    return found
        pytest.fail(f"of {names} came {list(self.received)}")

    def set(self, **values):
        """Change live parameters."""
        changes = [Parameter(name.replace("__", "."), value=value) for name, value in values.items()]
        assert all(result.successful for result in self.live.set_parameters(changes))

    def close(self):
        self._executor.shutdown()
        self.live.destroy_node()
        self.node.destroy_node()


@pytest.fixture
def robot(ros, guided_checkpoint):
    made = Robot(ros, guided_checkpoint)
    made.live.trigger_configure()
    made.live.trigger_activate()
    yield made
    made.close()


def test_sky_and_labels_may_change_while_it_runs(robot):
    passes = []
    robot.live._estimator.model.semantic_network.register_forward_hook(lambda *_: passes.append(1))
    robot.subscribe(depth=(Image, "depth/image_rect"), labels=(Image, "semantic/image"))
    robot.subscribe(cloud=(PointCloud2, "depth/points"))
    depth, labels, cloud = robot.next("depth", "labels", "cloud")
    np.testing.assert_array_equal(np.isposinf(depth_of(depth)), labels_of(labels) == SKY)
    assert "label" in points_of(cloud).dtype.names

    robot.set(depth__sky_infinite=False, points__labels=False)
    robot.next("depth")  # may have been in work
    depth, labels, cloud = robot.next("depth", "labels", "cloud")
    assert np.isfinite(depth_of(depth)).all()
    assert (labels_of(labels) == SKY).any()
    assert points_of(cloud).dtype.names == ("x", "y", "z", "rgb")
    assert np.isfinite(points_of(cloud)["z"]).all()

    robot.set(points__labels=True, points__stride=2, depth__full_resolution=True)
    robot.next("depth")
    depth, labels, cloud = robot.next("depth", "labels", "cloud")
    assert labels_of(labels).shape == depth_of(depth).shape == (48, 96)
    np.testing.assert_array_equal(points_of(cloud)["label"], labels_of(labels)[::2, ::2])

    robot.live._stop()  # the frame in work is finished
    snapshot = robot.live._cameras[0].statistics.snapshot()
    assert len(passes) == snapshot.published
    assert {"semantic", "labels", "depth"} <= set(snapshot.stages)
    assert "stage semantic [ms]" in robot.live._report()[2]


@pytest.mark.parametrize("preset", ["full", "obstacles"])
def test_the_mask_belongs_to_the_cloud_point_by_point(robot, preset):
    """What Nav2's semantic layer asks for: mono8, of the cloud's stamp, frame and number of points."""
    robot.set(points__preset=preset)
    robot.subscribe(mask=(Image, "semantic/mask"), cloud=(PointCloud2, "depth/points"))
    mask, cloud = robot.next("mask", "cloud")
    assert mask.header == cloud.header
    assert mask.encoding == "mono8"
    assert (mask.height, mask.width) == (cloud.height, cloud.width)
    assert cloud.width == (128 if preset == "full" else 64)
    np.testing.assert_array_equal(labels_of(mask), points_of(cloud)["label"])
    assert len(np.unique(labels_of(mask))) > 1


def test_picture_depth_and_calibration_make_the_cloud(robot):
    """What rtabmap, depth_image_proc and Open3D do with the three, by hand."""
    robot.subscribe(depth=(Image, "depth/image_rect"), rgb=(Image, "rgb/image_rect"))
    robot.subscribe(info=(CameraInfo, "rgb/camera_info"), cloud=(PointCloud2, "depth/points"))
    depth, rgb, info, cloud = robot.next("depth", "rgb", "info", "cloud")
    assert depth.header == rgb.header == info.header == cloud.header
    assert (depth.height, depth.width) == (rgb.height, rgb.width) == (info.height, info.width)
    assert rgb.encoding == "rgb8"
    z, points = depth_of(depth), points_of(cloud)
    v, u = np.mgrid[: depth.height, : depth.width]
    known = np.isfinite(z)
    np.testing.assert_array_equal(known, np.isfinite(points["z"]))
    fx, fy, cx, cy = info.k[0], info.k[4], info.k[2], info.k[5]
    for name, expected in (("x", (u - cx) / fx * z), ("y", (v - cy) / fy * z), ("z", z)):
        np.testing.assert_allclose(points[name][known], expected[known], rtol=1e-5, atol=1e-5)
    colors = np.frombuffer(rgb.data, np.uint8).reshape(rgb.height, rgb.width, 3)
    packed = np.ascontiguousarray(points["rgb"]).view(np.uint8).reshape(*z.shape, 4)
    np.testing.assert_array_equal(packed[..., 2::-1], colors)


def test_a_failed_frame_is_a_line_and_at_debug_level_the_whole_traceback(robot, monkeypatch, capfd):
    def break_down(*_, **__):
        raise RuntimeError("out of luck\nin detail")

    monkeypatch.setattr(robot.live._estimator, "estimate_batch", break_down)
    robot.subscribe(depth=(Image, "depth/image_rect"))
    for level in (LoggingSeverity.INFO, LoggingSeverity.DEBUG):
        robot.live.get_logger().set_level(level)
        with pytest.raises(pytest.fail.Exception):
            robot.next("depth", tries=4)
        logged = capfd.readouterr().err
        assert ("Traceback (most recent call last)" in logged) == (level == LoggingSeverity.DEBUG)
        assert ("in detail" in logged) == (level == LoggingSeverity.DEBUG)
        if level == LoggingSeverity.INFO:
            assert "frame failed: RuntimeError: out of luck (" in logged
    assert robot.live._cameras[0].statistics.snapshot().dropped["error"] > 1
