# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One live node process, and a camera in this process that does what cameras should not."""

import dataclasses
import re
import shutil
import signal
import time

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.parameter import Parameter
from rclpy.parameter_client import AsyncParameterClient
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Float32, Header

from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth import read_info, restate
from depth_node.ros.messages import fill_image, pinhole_info

HEIGHT, WIDTH = 48, 96
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE)


@pytest.fixture(scope="module")
def node(start, small_checkpoint):
    program = start("depth_node.ros.main", "depth_node", "--ros-args", "-p", f"checkpoint:={small_checkpoint}")
    program.wait_for("active: images from '/image'")
    return program


class Camera:
    """Publishes images of random pixels, each a tenth of a second later than the one before."""

    def __init__(self, listener, info_profile=10, age=0.0, namespace="", kind=Image, profile=10):
        self._listener = listener
        topic = "image_raw/compressed" if kind is CompressedImage else "image"
        self._images = listener.node.create_publisher(kind, f"{namespace}{topic}", profile)
        self._infos = listener.node.create_publisher(CameraInfo, f"{namespace}camera_info", info_profile)
        self._pixels = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)
        self._time = time.time_ns() - int(age * 1e9)
        assert listener.spin_until(
            lambda: self._images.get_subscription_count() and self._infos.get_subscription_count()
        )
        listener.spin_for(1.0)  # the node matches reliability and durability

    def publish(self, image, info):
        self._infos.publish(info)
        self._images.publish(image)

    def is_heard(self):
        return self._images.get_subscription_count() > 0

    def header(self):
        image = Image()
        self._time += 100_000_000
        image.header.stamp.sec, image.header.stamp.nanosec = divmod(self._time, 10**9)
        image.header.frame_id = "camera_optical_frame"
        return image.header

    def send_info(self, header=None, focal=80.0):
        K = np.array([[focal, 0, 47.5], [0, focal, 23.5], [0, 0, 1 if focal else 0]])
        self._infos.publish(pinhole_info(header or self.header(), K, WIDTH, HEIGHT))

    def send_image(self, header=None, encoding="rgb8"):
        image = fill_image(Image(), header or self.header(), self._pixels, "rgb8")
        image.encoding = encoding
        self._images.publish(image)
        return image.header.stamp

    def send_jpeg(self, header):
        data = cv2.imencode(".jpg", self._pixels)[1].tobytes()
        self._images.publish(CompressedImage(header=header, format="jpeg", data=data))


def send_until(listener, send, condition):
    """Send a frame four times a second until something has come of it."""
    for _ in range(100):
        send()
        if listener.spin_until(condition, timeout=0.25):
            return
    pytest.fail("nothing came of it")


def test_an_uncalibrated_camera_gives_a_line_and_nothing_else(node, listener):
    listener.subscribe(Image, "depth/image_rect")
    camera = Camera(listener)

    def send():
        header = camera.header()
        camera.send_info(header, focal=0.0)
        camera.send_image(header)

    send_until(listener, send, lambda: "uncalibrated" in node.output)
    assert listener.received["depth/image_rect"] == []
    assert len(re.findall("uncalibrated", node.output)) == 1


def test_an_unknown_encoding_gives_a_line_and_the_next_frame_works(node, listener):
    listener.subscribe(Image, "depth/image_rect")
    camera = Camera(listener)

    def send(encoding):
        header = camera.header()
        camera.send_info(header)
        camera.send_image(header, encoding)

    send_until(listener, lambda: send("thermal7"), lambda: "thermal7" in node.output)
    assert listener.received["depth/image_rect"] == []
    send_until(listener, lambda: send("rgb8"), lambda: listener.received["depth/image_rect"])


def test_a_latched_calibration_serves_every_image(node, listener):
    listener.subscribe(CameraInfo, "depth/camera_info")
    camera = Camera(listener, info_profile=LATCHED)
    camera.send_info()
    listener.spin_for(0.5)
    send_until(listener, camera.send_image, lambda: len(listener.received["depth/camera_info"]) >= 3)


def test_nothing_is_taken_from_the_camera_while_nobody_listens(node, listener):
    """Not even received: a fast camera's images cost a fifth of a core."""
    listener.subscribe(DiagnosticArray, "/diagnostics")

    def last():
        arrays = [a for a in listener.received["/diagnostics"] if a.status[0].name == "depth_node"]
        return arrays[-1].status[0] if arrays else None

    def values():
        return {value.key: value.value for value in last().values} if last() else {}

    depth = listener.node.create_subscription(Image, "depth/image_rect", lambda _: None, 10)
    camera = Camera(listener)
    assert listener.spin_until(lambda: "images published" in values())
    listener.node.destroy_subscription(depth)
    assert listener.spin_until(lambda: not camera.is_heard())
    assert listener.spin_until(lambda: last().message == "idle, nobody subscribes")
    wanted = {"rate [Hz]", "latency p50 [ms]", "latency p95 [ms]", "latency p99 [ms]", "memory [MiB]", "model"}
    assert wanted | {"scale [m/unit]", "device"} <= set(values())
    assert values()["scale [m/unit]"] == "10"
    listener.subscribe(Image, "depth/image_rect")
    assert listener.spin_until(camera.is_heard)

    def send():
        header = camera.header()
        camera.send_info(header)
        camera.send_image(header)

    send_until(listener, send, lambda: listener.received["depth/image_rect"])


def test_who_cannot_be_served_is_named(node, listener):
    listener.node.create_subscription(PointCloud2, "depth/points", lambda _: None, LATCHED)
    assert listener.spin_until(lambda: "'/listener' will get nothing from '/depth/points'" in node.output)
    line = node.wait_for("will get nothing").lower()
    assert "volatile publisher and transient local subscription" in line


def test_metres_follow_the_focal_length_and_all_is_said(start, small_checkpoint, listener, tmp_path):
    """The same pixels through a lens twice as long: twice as far, in the image, the scale, the log, diagnostics."""
    path = tmp_path / "camera.safetensors"
    shutil.copy(small_checkpoint, path)
    # 96 pixels at a focal length of 80 are 128 at 106.7; 48 rows are 64.
    learnt = TrainingCamera(128, 64, 128 / 96 * 80.0, 64 / 48 * 80.0, 63.5, 31.5)
    restate(path, dataclasses.replace(read_info(path), camera=learnt))
    arguments = ("--ros-args", "-r", "__ns:=/lens", "-p", f"checkpoint:={path}")
    program = start("depth_node.ros.main", "depth_node", *arguments)
    program.wait_for("active: images from '/lens/image'")
    listener.subscribe(Image, "lens/depth/image_rect")
    listener.subscribe(Float32, "lens/depth/scale")
    listener.subscribe(DiagnosticArray, "/diagnostics")
    camera = Camera(listener, namespace="lens/")
    depths = []

    def scales():
        return [message.data for message in listener.received["lens/depth/scale"]]

    for focal in (80.0, 160.0):
        stamps = set()

        def send(focal=focal, stamps=stamps):
            header = camera.header()
            stamps.add((header.stamp.sec, header.stamp.nanosec))
            camera.send_info(header, focal)
            camera.send_image(header)

        def answers(stamps=stamps):
            images = listener.received["lens/depth/image_rect"]
            return [image for image in images if (image.header.stamp.sec, image.header.stamp.nanosec) in stamps]

        send_until(listener, send, answers)
        depths.append(np.frombuffer(bytes(answers()[-1].data), np.float32))
        scale = pytest.approx(focal / 8)
        assert listener.spin_until(lambda scale=scale: scales() and scales()[-1] == scale)
    np.testing.assert_allclose(depths[1], np.where(2 * depths[0] > 80, np.inf, 2 * depths[0]), rtol=1e-5)
    program.wait_for(r"things look 2\.00 times as large")

    def ratio():
        statuses = [array.status[0] for array in listener.received["/diagnostics"]]
        values = [{value.key: value.value for value in status.values} for status in statuses]
        return [each.get("focal length / training camera's") for each in values]

    assert listener.spin_until(lambda: "2" in ratio())


def test_a_camera_with_compressed_images_only_and_then_none(start, small_checkpoint, listener):
    """Only `image` is remapped: calibration is found beside it, compressed images are taken, their frame too."""
    arguments = ("-p", f"checkpoint:={small_checkpoint}", "-r", "image:=/front/image_raw", "-r", "__node:=front_depth")
    program = start("depth_node.ros.main", "depth_node", "--ros-args", *arguments)
    assert "'/front/camera_info'" in program.wait_for("active: images from '/front/image_raw'")
    listener.subscribe(Image, "depth/image_rect")
    listener.subscribe(DiagnosticArray, "/diagnostics")
    camera = Camera(listener, namespace="front/", kind=CompressedImage)
    program.wait_for("taking compressed ones from '/front/image_raw/compressed'")

    def send():
        header = camera.header()
        camera.send_info(header)
        header.frame_id = ""
        camera.send_jpeg(header)

    def statuses():
        arrays = listener.received["/diagnostics"]
        return [array.status[0] for array in arrays if array.status[0].name == "front_depth"]

    send_until(listener, send, lambda: listener.received["depth/image_rect"])
    assert listener.received["depth/image_rect"][-1].header.frame_id == "camera_optical_frame"
    send_until(listener, send, lambda: statuses() and statuses()[-1].message == "running")
    assert listener.spin_until(lambda: "no image on '/front/image_raw/compressed' for" in statuses()[-1].message)
    assert statuses()[-1].level == DiagnosticStatus.WARN


def test_a_whole_number_is_a_number(node, listener):
    """As `ros2 param set depth.max 50` sends it."""
    client = AsyncParameterClient(listener.node, "depth_node")
    assert listener.spin_until(client.services_are_ready)
    for value, good in ((50, True), (80.0, True), ("far", False), (0, False)):
        done = client.set_parameters([Parameter("depth.max", value=value)])
        assert listener.spin_until(done.done)
        assert done.result().results[0].successful is good


def test_frames_older_than_max_age_are_dropped(node, listener):
    listener.subscribe(Image, "depth/image_rect")
    listener.subscribe(DiagnosticArray, "/diagnostics")
    client = AsyncParameterClient(listener.node, "depth_node")
    camera = Camera(listener, age=1000.0)

    def set_max_age(seconds):
        done = client.set_parameters([Parameter("max_age", value=seconds)])
        assert listener.spin_until(done.done)
        assert done.result().results[0].successful

    def send():
        header = camera.header()
        camera.send_info(header)
        camera.send_image(header)

    def drops():
        values = [v for array in listener.received["/diagnostics"] for v in array.status[0].values]
        return [value.value for value in values if value.key == "dropped: older than max_age"]

    assert listener.spin_until(client.services_are_ready)
    set_max_age(500.0)
    send_until(listener, send, drops)
    assert listener.received["depth/image_rect"] == []
    set_max_age(0.0)
    send_until(listener, send, lambda: listener.received["depth/image_rect"])


def test_another_checkpoint_takes_over_without_a_gap(node, listener, small_checkpoint, tmp_path):
    other = tmp_path / "other.safetensors"
    info = read_info(small_checkpoint)
    restate(small_checkpoint, dataclasses.replace(info, scale=50 * info.scale, scale_source="given"), other)
    listener.subscribe(Image, "depth/image_rect")
    listener.subscribe(Float32, "depth/scale")
    client, camera = AsyncParameterClient(listener.node, "depth_node"), Camera(listener)
    assert listener.spin_until(client.services_are_ready)

    def use(checkpoint):
        done = client.set_parameters([Parameter("checkpoint", value=str(checkpoint))])
        assert listener.spin_until(done.done)
        assert done.result().results[0].successful

    def drive_until(said):
        """Send ten pictures a second until the node has said something new; returns the scales that came."""
        before, scales = node.output.count(said), len(listener.received["depth/scale"])
        deadline = time.monotonic() + 120
        while node.output.count(said) == before:
            assert time.monotonic() < deadline, node.output
            header = camera.header()
            camera.send_info(header)
            camera.send_image(header)
            listener.spin_for(0.1)
        return [message.data for message in listener.received["depth/scale"][scales:]]

    def one_more():
        count = len(listener.received["depth/scale"])
        send = camera.header()

        def again():
            camera.send_info(send)
            camera.send_image(send)

        send_until(listener, again, lambda: len(listener.received["depth/scale"]) > count)
        return listener.received["depth/scale"][-1].data

    first = one_more()
    use(other)
    meanwhile = drive_until("has taken over")
    # The present one works on until the other one does: each frame is of one of them, and none goes back.
    assert meanwhile == sorted(meanwhile)
    assert all(scale == pytest.approx(first) or scale == pytest.approx(50 * first) for scale in meanwhile)
    assert one_more() == pytest.approx(50 * first)
    use(tmp_path / "missing.safetensors")
    drive_until("is not taken: ")
    assert one_more() == pytest.approx(50 * first)
    other.write_bytes(small_checkpoint.read_bytes())  # as `depth improve --deploy` does
    use(other)
    drive_until("has taken over")
    assert one_more() == pytest.approx(first)


def test_signals_end_it_cleanly(start, small_checkpoint):
    arguments = ["depth_node.ros.main", "depth_node", "--ros-args", "-p", f"checkpoint:={small_checkpoint}"]
    programs = {number: start(*arguments, "-r", "__ns:=/ends") for number in (signal.SIGINT, signal.SIGTERM)}
    for program in programs.values():
        program.wait_for("active: images from")
    segments = set.union(*(program.shared_memory() for program in programs.values()))
    assert segments
    for number, program in programs.items():
        assert program.stop(number, again=100) == 0, program.output
        assert "Traceback" not in program.output
    assert not any(segment.exists() for segment in segments)


def test_a_wrong_start_is_one_line_and_an_exit_code(start):
    wrong = {
        "checkpoint:=/nowhere.safetensors": "/nowhere.safetensors does not exist",
        f"checkpoint:={__file__}": "not a depth_node checkpoint",
        "depth.maximum:=5.0": "unknown parameter 'depth.maximum': did you mean 'depth.max'",
    }
    arguments = ["depth_node.ros.main", "depth_node", "--ros-args", "-r", "__ns:=/wrong", "-p"]
    programs = [(start(*arguments, parameter), words) for parameter, words in wrong.items()]
    programs += [
        (start("depth_node.ros.main", "depth_node", "--checkpoint", "X"), "as --ros-args -p checkpoint:=X"),
        (start("depth_node.ros.main", "depth_node", "checkpoint:=X"), "as --ros-args -p checkpoint:=X"),
    ]
    for program, words in programs:
        assert program.wait() == 1
        assert len(program.lines) == 1, program.output
        assert words in program.output


@pytest.mark.parametrize("name", ["depth_node", "recorder_node"])
def test_help_lists_what_can_be_set(start, name):
    program = start("depth_node.ros.main", name, "--help")
    assert program.wait() == 0
    expected = {"depth_node": "depth.max = 80.0", "recorder_node": "bags"}
    assert expected[name] in program.output


def test_large_images_sent_best_effort_are_warned_of(start, small_checkpoint, listener):
    """And two frames that differ are mentioned: depth goes out in the image's."""
    arguments = ("-p", f"checkpoint:={small_checkpoint}", "-r", "__ns:=/big")
    program = start("depth_node.ros.main", "depth_node", "--ros-args", *arguments)
    program.wait_for("active: images from '/big/image'")
    listener.subscribe(Image, "big/depth/image_rect")
    camera = Camera(listener, namespace="big/", profile=BEST_EFFORT)
    pixels = np.zeros((400, 800, 3), np.uint8)
    K = np.array([[500.0, 0, 399.5], [0, 500.0, 199.5], [0, 0, 1]])

    def send():
        header = camera.header()
        image = fill_image(Image(), header, pixels, "rgb8")
        camera.publish(image, pinhole_info(Header(stamp=header.stamp, frame_id="other"), K, 800, 400))

    send_until(listener, send, lambda: "come best effort from '/listener'" in program.output)
    assert "images of 1.0 MB" in program.output
    assert "large_messages.xml" in program.output
    send_until(listener, send, lambda: "in frame 'camera_optical_frame', its camera_info in 'other'" in program.output)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_loads_breaks_it_off(start, number):
    program = start("depth_node.ros.main", "depth_node", "--ros-args", "-r", "__ns:=/early")
    program.wait_until_loaded("_rclpy_pybind11")  # signals are watched from just before that on
    assert program.stop(number) == 0, program.output
    assert "Traceback" not in program.output
