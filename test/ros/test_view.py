# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""`depth view` beside a live node, each a process of its own: what reaches the viewer is what was published."""

from __future__ import annotations

import re
import socket
import time
import urllib.request

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytest.importorskip("rerun", reason="rerun is not installed: pip install 'depth_node[view]'")
from rerun.chunk import RrdReader
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from depth_node.ros.messages import depth_of, fill_image, labels_of, pinhole_info, points_of, rgb_of, stamp_ns
from depth_node.ros.view.page_server import page_address

VIEW = ("depth_node.cli.main", "view", "--no_browser")
K = np.array([[80.0, 0, 47.5], [0, 80, 23.5], [0, 0, 1]])
SHOWN = {
    "rgb/image_rect": Image,
    "depth/image_rect": Image,
    "semantic/image": Image,
    "depth/points": PointCloud2,
    "depth/camera_info": CameraInfo,
}


def free_port():
    """A port that is free, and the next one too."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            if not 1024 <= port < 65534:
                continue
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


class Camera:
    """Random pictures for a live node in a namespace."""

    def __init__(self, listener, namespace):
        self._images = listener.node.create_publisher(Image, f"/{namespace}/image", 10)
        self._infos = listener.node.create_publisher(CameraInfo, f"/{namespace}/camera_info", 10)
        self._pixels = np.random.default_rng(0).integers(0, 255, (48, 96, 3), np.uint8)

    def send(self):
        header = Header(frame_id="camera_optical_frame")
        header.stamp.sec, header.stamp.nanosec = divmod(time.time_ns(), 10**9)
        self._infos.publish(pinhole_info(header, K, 96, 48))
        self._images.publish(fill_image(Image(), header, self._pixels, "rgb8"))


@pytest.fixture(scope="module")
def live(start, guided_checkpoint):
    """Two live nodes, in namespaces of their own."""
    for namespace in ("front", "rear"):
        arguments = ["-p", f"checkpoint:={guided_checkpoint}", "-p", "autostart:=true", "-r", f"__ns:=/{namespace}"]
        start("depth_node.ros.main", "depth_node", "--ros-args", *arguments).wait_for("active: images from")
    return "front", "rear"


def columns_of(path):
    """Values by entity, column and camera's stamp."""
    found = {}
    for chunk in RrdReader(path).stream():
        batch = chunk.to_record_batch()
        if "stamp" in batch.schema.names:
            stamps = [getattr(stamp, "value", stamp) for stamp in batch.column("stamp").to_pylist()]
            for name in batch.schema.names:
                for stamp, value in zip(stamps, batch.column(name).to_pylist(), strict=True):
                    found.setdefault((chunk.entity_path, name), {})[stamp] = value
    return found


def pixels(found, entity, kind, stamp, dtype):
    return np.array(found[entity, f"{kind}:buffer"][stamp][0], np.uint8).view(dtype)


@pytest.mark.timeout(900)  # five programs, each of which loads torch or rerun
def test_what_is_published_reaches_the_viewer(live, start, listener, tmp_path):
    port, path = free_port(), tmp_path / "seen.rrd"
    cameras = [Camera(listener, namespace) for namespace in live]
    for topic, kind in SHOWN.items():
        listener.subscribe(kind, f"/front/{topic}")
    view = start(*VIEW, "--port", str(port), "--save", str(path), "--max_rate", "100")
    address = re.search(r"http\S+", view.wait_for("^open http")).group()
    assert address == page_address("localhost", port)
    with urllib.request.urlopen(address, timeout=60) as page:  # from this machine alone
        assert b"re_viewer.js" in page.read()

    def all_shown():
        for camera in cameras:
            camera.send()
        listener.spin_for(0.3)
        return {"showing front", "showing rear"} <= set(view.lines) and listener.received["/front/depth/points"]

    assert listener.spin_until(all_shown)
    listener.spin_until(lambda: all_shown() and len(listener.received["/front/depth/points"]) > 8)
    second = start(*VIEW, "--port", str(port))
    assert second.wait() == 1
    assert re.fullmatch(rf"depth view: port {port} cannot be had .* --port {port + 10}", second.lines[-1])
    assert view.stop() == 0
    assert view.lines[-1] == f"saved {path}"
    compare(columns_of(path), {topic: by_stamp(listener, topic) for topic in SHOWN})
    assert ("/rear/points", "Points3D:positions") in columns_of(path)
    again = start(*VIEW, "--port", str(port), "--save", str(path))
    assert again.wait() == 1
    assert again.lines[-1] == f"depth view: --save {path}: the file is there already, name another one"


def by_stamp(listener, topic):
    return {stamp_ns(message.header): message for message in listener.received[f"/front/{topic}"]}


def compare(found, sent):
    """Every frame of the file is the published one, to the bit; and there are some."""
    entity = "/front/pinhole"
    both = {
        "depth/image_rect": set(found[f"{entity}/depth", "DepthImage:buffer"]),
        "semantic/image": set(found[f"{entity}/classes", "SegmentationImage:buffer"]),
        "rgb/image_rect": set(found[f"{entity}/image", "Image:buffer"]),
        "depth/points": set(found["/front/points", "Points3D:positions"]),
        "depth/camera_info": set(found[entity, "Pinhole:image_from_camera"]),
    }
    both = {topic: stamps & set(sent[topic]) for topic, stamps in both.items()}
    assert all(both.values()), both
    for stamp in both["depth/image_rect"]:
        depth = pixels(found, f"{entity}/depth", "DepthImage", stamp, np.float32)
        assert depth.tobytes() == depth_of(sent["depth/image_rect"][stamp]).tobytes()
    for stamp in both["semantic/image"]:
        labels = pixels(found, f"{entity}/classes", "SegmentationImage", stamp, np.uint8)
        assert labels.tobytes() == labels_of(sent["semantic/image"][stamp]).tobytes()
    for stamp in both["rgb/image_rect"]:
        image = pixels(found, f"{entity}/image", "Image", stamp, np.uint8)
        assert image.tobytes() == rgb_of(sent["rgb/image_rect"][stamp]).tobytes()
    for stamp in both["depth/points"]:
        points = points_of(sent["depth/points"][stamp])
        points = points[np.isfinite(points["z"])]
        positions = found["/front/points", "Points3D:positions"][stamp]
        np.testing.assert_array_equal(positions, np.stack([points[axis] for axis in "xyz"], -1))
    for stamp in both["depth/camera_info"]:
        (matrix,) = found[entity, "Pinhole:image_from_camera"][stamp]
        wanted = np.reshape(sent["depth/camera_info"][stamp].k, (3, 3))
        np.testing.assert_allclose(np.reshape(matrix, (3, 3)).T, wanted, rtol=1e-6)


def test_without_a_live_node_it_says_what_it_waits_for(start):
    view = start(*VIEW, "--port", str(free_port()), "--namespace", "nowhere")
    view.wait_for(r"^waiting for a live node: nobody publishes /nowhere/depth/image_rect in ROS_DOMAIN_ID")
    assert view.stop() == 0
