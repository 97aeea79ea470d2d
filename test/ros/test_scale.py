# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Metres at run time over DDS: a simulated bag's sensors, the live node in a process of its own, a listener here."""

import math
import re

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image, LaserScan, PointCloud2, Range
from std_msgs.msg import Float32

from depth_node.bags.reader import BagReader
from depth_node.cli.main import main
from depth_node.inference.pointcloud import cloud_dtype
from depth_node.ros.messages import depth_of, points_of
from depth_node.sensing.point_cloud import read_cloud

MOUNTS = """transforms:
- {parent: base_link, child: camera_optical_frame, translation: [1.68, 0, 1.65],
   rotation: [0, 0, 1, -1, 0, 0, 0, -1, 0]}
- {parent: base_link, child: lidar, translation: [1.41, 0, 1.73], rotation: [0, 0, 0, 1]}
"""
TOPICS = ["-r", "image:=/camera/image_raw"]


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """A simulated drive of four seconds with lidar and odometry."""
    folder = tmp_path_factory.mktemp("street") / "street"
    size = ["--width", "256", "--height", "96", "--lidar_columns", "512", "--workers", "2"]
    assert main(["simulate", "--output", str(folder), "--seed", "7", "--frames", "40", *size]) == 0
    return folder / "bag"


@pytest.fixture(scope="module")
def mounts(tmp_path_factory):
    path = tmp_path_factory.mktemp("mounts") / "mounts.yaml"
    path.write_text(MOUNTS)
    return path


@pytest.fixture
def live(start, small_checkpoint, listener):
    """Start a node with parameters, in a namespace of its own, and listen to its depth, scale and diagnostics."""

    def run(name, **parameters):
        given = {"checkpoint": small_checkpoint} | parameters
        words = [word for key, value in given.items() for word in ("-p", f"{key.replace('__', '.')}:={value}")]
        sensors = ["-r", "lidar/points:=/lidar/points", "-r", "odom:=/odom"]
        names = ["-r", f"__ns:=/{name}", *TOPICS, *sensors]
        node = start("depth_node.ros.main", "depth_node", "--ros-args", *words, *names)
        listener.subscribe(Image, f"/{name}/depth/image_rect")
        listener.subscribe(Float32, f"/{name}/depth/scale")
        listener.subscribe(DiagnosticArray, "/diagnostics")
        node.wait_for("active: images from")
        return node

    return run


def play(listener, start, bag):
    player = start("depth_node.cli.main", "play", str(bag), "--rate", "0.5", "--wait", "60")
    assert listener.spin_until(lambda: "published" in player.output)
    assert player.wait() == 0, player.output
    listener.spin_for(1.5)


def values_of(listener, name):
    found = [status for array in listener.received["/diagnostics"] for status in array.status if name in status.name]
    return {value.key: value.value for value in found[-1].values}


def error_against_lidar(listener, name, bag):
    """Median of the last pictures' median ratios of published to measured depth; busy machines have few."""
    with BagReader(bag) as reader:
        clouds = {m.stamp_ns: read_cloud(m.message) for m in reader.messages("/lidar/points")}
        K = np.array(next(iter(reader.messages("/camera/camera_info"))).message.k).reshape(3, 3)
    ratios = []
    for message in listener.received[f"/{name}/depth/image_rect"][-3:]:
        depth, points = depth_of(message), clouds[message.header.stamp.sec * 10**9 + message.header.stamp.nanosec]
        x, y, z = -points[:, 1], -points[:, 2] - 0.08, points[:, 0] - 0.27
        scale = depth.shape[1] / 256, depth.shape[0] / 96
        column = np.rint(((K[0, 0] * x / z + K[0, 2]) + 0.5) * scale[0] - 0.5)
        row = np.rint(((K[1, 1] * y / z + K[1, 2]) + 0.5) * scale[1] - 0.5)
        seen = (z > 1) & (column >= 0) & (column < depth.shape[1]) & (row >= 0) & (row < depth.shape[0])
        there = depth[row[seen].astype(int), column[seen].astype(int)]
        known = np.isfinite(there)
        ratios.append(float(np.median(there[known] / z[seen][known])))
    return float(np.median(ratios))


def test_a_lidar_makes_metres(live, listener, start, street, mounts):
    # The shipped network, told a unit twice too long.
    node = live("by_lidar", scale__extrinsics=mounts, checkpoint="default", scale__fixed="31.0")
    play(listener, start, street)
    node.wait_for("scale from lidar: ")
    assert error_against_lidar(listener, "by_lidar", street) == pytest.approx(1.0, abs=0.1)
    values = values_of(listener, "by_lidar")
    assert values["scale source"] == "lidar"
    assert math.isfinite(float(values["scale spread [%]"]))
    assert listener.received["/by_lidar/depth/scale"][-1].data == pytest.approx(
        float(values["scale [m/unit]"]), rel=0.3
    )


def test_without_mounts_the_node_says_what_it_needs_and_depth_goes_on(live, listener, start, street):
    node = live("nowhere")
    play(listener, start, street)
    assert re.search("no scale from lidar: nothing says where 'lidar' sits on 'camera_optical_frame'", node.output)
    assert "scale from lidar: " not in node.output.replace("no scale from lidar: ", "")
    assert values_of(listener, "nowhere")["scale source"].startswith("checkpoint")
    assert len(listener.received["/nowhere/depth/image_rect"]) > 20


def test_odometry_makes_metres(live, listener, start, street, mounts):
    settings = {"checkpoint": "default", "scale__fixed": "31.0", "scale__source": "odometry"}
    node = live("by_odometry", scale__extrinsics=mounts, **settings)
    play(listener, start, street)
    node.wait_for("scale from odometry: ")
    assert error_against_lidar(listener, "by_odometry", street) == pytest.approx(1.0, abs=0.15)
    assert values_of(listener, "by_odometry")["scale source"] == "odometry"


def test_the_cameras_height_makes_metres(live, listener, start, street):
    # Nothing says where the camera sits, or anything else: one number does.
    settings = {"checkpoint": "default", "scale__fixed": "31.0", "scale__camera_height": "1.65"}
    node = live("by_height", scale__source="camera_height", **settings)
    play(listener, start, street)
    node.wait_for("scale from camera_height: ")
    assert error_against_lidar(listener, "by_height", street) == pytest.approx(1.0, abs=0.15)
    assert values_of(listener, "by_height")["scale source"] == "camera_height"


SLICE = 0.6
"""Metres above the road at which a flat scanner and a sonar would look."""


def as_scan(cloud):
    """The lidar's points in a plane as a LaserScan of half-degree beams, and what lies straight ahead as a Range."""
    points = read_cloud(cloud)[:, :3]
    flat = points[np.abs(points[:, 2] + 1.73 - SLICE) < 0.12]
    angles, ranges = np.arctan2(flat[:, 1], flat[:, 0]), np.hypot(flat[:, 0], flat[:, 1])
    beams = np.full(181, np.inf, np.float32)
    places = np.rint((angles + math.pi / 4) / math.radians(0.5)).astype(int)
    ahead = (places >= 0) & (places < len(beams))
    np.minimum.at(beams, places[ahead], ranges[ahead].astype(np.float32))
    scan = LaserScan(angle_min=-math.pi / 4, angle_increment=math.radians(0.5), range_min=0.5, range_max=60.0)
    scan.ranges, scan.header = beams.tolist(), cloud.header
    scan.header.frame_id = "scanner"
    cone = ranges[np.abs(angles) < math.radians(4)]
    distance = float(cone.min()) if len(cone) else math.inf
    sonar = Range(radiation_type=Range.ULTRASOUND, field_of_view=math.radians(8), min_range=0.5, max_range=60.0)
    sonar.range, sonar.header = distance, scan.header
    return scan, sonar


@pytest.mark.parametrize("source", ["scan", pytest.param("range", marks=pytest.mark.slow)])
def test_a_scanner_and_a_sonar_make_metres(live, listener, start, street, tmp_path, source):
    at = f"- {{parent: base_link, child: scanner, translation: [1.41, 0, {SLICE}], rotation: [0, 0, 0, 1]}}\n"
    (tmp_path / "mounts.yaml").write_text(MOUNTS + at)
    name = f"by_{source}"
    settings = {"checkpoint": "default", "scale__fixed": "31.0", "scale__source": source}
    node = live(name, scale__extrinsics=tmp_path / "mounts.yaml", **settings)
    kind = LaserScan if source == "scan" else Range
    publisher = listener.node.create_publisher(kind, f"/{name}/{source}", 10)
    listener.node.create_subscription(
        PointCloud2, "/lidar/points", lambda cloud: publisher.publish(as_scan(cloud)[source == "range"]), 10
    )
    play(listener, start, street)
    node.wait_for(f"scale from {source}: ")
    assert values_of(listener, name)["scale source"] == source
    # A few things at one height stand for all of the picture, and the sonar sees one of them.
    assert error_against_lidar(listener, name, street) == pytest.approx(1.0, abs=0.3)


def test_confidence_is_an_image_and_a_field_of_the_cloud(live, listener, start, street):
    live("sure", points__confidence="true", scale__source="checkpoint")
    listener.subscribe(Image, "/sure/depth/confidence")
    listener.subscribe(PointCloud2, "/sure/depth/points")
    play(listener, start, street)
    images = {(m.header.stamp.sec, m.header.stamp.nanosec): m for m in listener.received["/sure/depth/confidence"]}
    clouds = {(m.header.stamp.sec, m.header.stamp.nanosec): m for m in listener.received["/sure/depth/points"]}
    both = images.keys() & clouds.keys()
    assert len(both) > 10
    for stamp in both:
        image, points = images[stamp], points_of(clouds[stamp])
        assert image.encoding == "mono8"
        assert points.dtype.names == cloud_dtype(with_confidence=True).names
        values = np.frombuffer(image.data, np.uint8).reshape(image.height, image.width)
        np.testing.assert_allclose(points["confidence"], values / 255.0, atol=1e-6)
