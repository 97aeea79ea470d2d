# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Camera process -> live node process -> this process, over DDS with the middleware's default settings."""

import json

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import String

from depth_node.bags.message_types import CAMERA_INFO, COMPRESSED_IMAGE, IMAGE
from depth_node.bags.reader import BagReader
from depth_node.config.classes import CITYSCAPES, ClassMap
from depth_node.ros.messages import depth_of, labels_of, points_of, rgb_of
from depth_node.ros.qos import latched_profile

OUTPUTS = {
    "depth/image_rect": Image,
    "depth/camera_info": CameraInfo,
    "depth/points": PointCloud2,
    "depth/image_color": Image,
}
SEMANTIC_OUTPUTS = {"semantic/image": Image, "semantic/image_color": Image}
RATES = ("1.0", "0.3", "0.1")
"""Speeds to try: the camera is paced at what the machine sustains."""
ENOUGH = 0.95
"""Share of the frames that must arrive."""
SETTINGS = ["-r", "image:=/camera/image_raw", "-r", "camera_info:=/camera/camera_info"]


def stamp_ns(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


@pytest.fixture(scope="module")
def node(start, small_checkpoint):
    running = {}

    def of(transport, checkpoint=small_checkpoint, namespace=""):
        namespace = namespace or transport
        if namespace not in running:
            parameters = [f"checkpoint:={checkpoint}", f"image_transport:={transport}"]
            arguments = [word for parameter in parameters for word in ("-p", parameter)]
            name = ["-r", f"__ns:=/{namespace}"]
            running[namespace] = start("depth_node.ros.main", "depth_node", "--ros-args", *arguments, *SETTINGS, *name)
            running[namespace].wait_for("active: images from")
        return running[namespace]

    return of


def drive(listener, start, bag, namespace, *flags, outputs=OUTPUTS):
    """Play a bag while listening to every output, more slowly if this machine is too busy to keep up.

    Returns messages by topic and stamp, the bag's images, and its camera infos by stamp.
    """
    with BagReader(bag) as reader:
        images = [m for t in reader.topics if t.type in (IMAGE, COMPRESSED_IMAGE) for m in reader.images(t.name)]
        infos = {m.stamp_ns: m.message for t in reader.topics if t.type == CAMERA_INFO for m in reader.messages(t.name)}
    topics = {topic: f"/{namespace}/{topic}" for topic in outputs}
    for topic, kind in outputs.items():
        listener.subscribe(kind, topics[topic])
    assert listener.spin_until(lambda: all(listener.node.count_publishers(topic) for topic in topics.values()))
    for rate in RATES:
        for messages in listener.received.values():
            messages.clear()
        player = start("depth_node.cli.main", "play", str(bag), "--rate", rate, *flags)
        assert listener.spin_until(lambda: "published" in player.output)  # noqa: B023
        assert player.wait() == 0, player.output
        listener.spin_for(2.0)
        found = {topic: {stamp_ns(m): m for m in listener.received[name]} for topic, name in topics.items()}
        if all(len(messages) >= ENOUGH * len(images) for messages in found.values()):
            break
    return found, images, infos


def check(found, images, infos):
    """Every output carries a stamp and frame of the bag, enough arrived, and the cloud fits depth and calibration."""
    stamps = {image.stamp_ns: image.frame_id for image in images}
    for topic, messages in found.items():
        assert set(messages) <= set(stamps), topic
        assert len(messages) >= ENOUGH * len(stamps), f"{topic}: {len(messages)} of {len(stamps)} frames"
        assert all(message.header.frame_id == stamps[stamp] for stamp, message in messages.items())
    together = set.intersection(*(set(messages) for messages in found.values()))
    for stamp in sorted(together)[:: max(1, len(together) // 4)]:
        depth, info = depth_of(found["depth/image_rect"][stamp]), found["depth/camera_info"][stamp]
        assert found["depth/image_rect"][stamp].encoding == "32FC1"
        assert (info.height, info.width) == depth.shape == (64, 128)
        check_info(info, infos[stamp])
        check_cloud(found["depth/points"][stamp], depth, np.reshape(info.k, (3, 3)))
        color = rgb_of(found["depth/image_color"][stamp])
        assert color.shape == (64, 128, 3)
        assert color.std() > 0


def check_info(info, camera):
    sx, sy = info.width / camera.width, info.height / camera.height
    K, wanted = np.reshape(info.k, (3, 3)), np.reshape(camera.k, (3, 3))
    np.testing.assert_allclose([K[0, 0], K[1, 1]], [wanted[0, 0] * sx, wanted[1, 1] * sy])
    centre = [(wanted[0, 2] + 0.5) * sx - 0.5, (wanted[1, 2] + 0.5) * sy - 0.5]
    np.testing.assert_allclose(K[:2, 2], centre)
    np.testing.assert_allclose(np.reshape(info.p, (3, 4))[:, :3], K)
    assert not any(info.d)


def check_cloud(cloud, depth, K):
    assert (cloud.height, cloud.width) == depth.shape
    assert not cloud.is_dense
    assert {"x", "y", "z", "rgb"} <= {field.name for field in cloud.fields}
    points = points_of(cloud)
    seen = np.isfinite(depth)
    np.testing.assert_array_equal(np.isfinite(points["z"]), seen)
    v, u = np.mgrid[: depth.shape[0], : depth.shape[1]]
    rays = np.linalg.inv(K) @ np.stack([u.ravel(), v.ravel(), np.ones(u.size)])
    wanted = (rays * depth.ravel().astype(float)).T.reshape(*depth.shape, 3)
    got = np.stack([points[axis] for axis in "xyz"], -1)
    error = np.linalg.norm(got - wanted, axis=-1)[seen] / np.linalg.norm(wanted, axis=-1)[seen]
    assert error.max() < 1e-4


def test_a_bag_made_here(listener, start, node, make_bag):
    node("raw")
    bag = make_bag(frames=20, width=320, height=96)
    check(*drive(listener, start, bag, "raw"))


def test_a_real_compressed_bag(listener, start, node, shared_data):
    node("compressed")
    bag = shared_data / "ros2_bags/kitti_0095_60f_compressed_mcap"
    check(*drive(listener, start, bag, "compressed"))


def test_raw_images_above_a_megabyte_from_a_reliable_camera(listener, start, node, shared_data):
    running = node("raw")
    bag = shared_data / "ros2_bags/kitti_0095_60f_compressed_mcap"
    check(*drive(listener, start, bag, "raw", "--image", "raw", "--reliability", "reliable"))
    running.wait_for(r"subscribed to '/camera/image_raw' reliable", timeout=1)


def test_a_best_effort_camera_is_heard_too(listener, start, node, make_bag):
    node("raw")
    bag = make_bag(frames=20, width=160, height=48)
    check(*drive(listener, start, bag, "raw", "--reliability", "best_effort"))


def check_semantics(found, classes):
    """In every frame, sky has no depth, and label image, its colours and the cloud's field say the same."""
    [sky] = classes.sky_ids
    together = set.intersection(*(set(messages) for messages in found.values()))
    for stamp in together:
        image = found["semantic/image"][stamp]
        labels, depth = labels_of(image), depth_of(found["depth/image_rect"][stamp])
        assert image.encoding == "8UC1"
        assert labels.shape == depth.shape
        assert 0.02 < (labels == sky).mean() < 0.98
        np.testing.assert_array_equal(np.isposinf(depth), labels == sky)
        assert np.isfinite(depth[labels != sky]).all()
        np.testing.assert_array_equal(points_of(found["depth/points"][stamp])["label"], labels)
        colors = rgb_of(found["semantic/image_color"][stamp])
        np.testing.assert_array_equal(colors, np.array(classes.colors, np.uint8)[labels])


def test_classes_and_sky_of_a_guided_network(listener, start, node, make_bag, guided_checkpoint):
    running = node("raw", guided_checkpoint, "guided")
    running.wait_for("lite_hr_depth 128x64, guided, semantic network fpn tu-mobilenetv3_small_050, 19 classes", 1)
    listener.subscribe(String, "/guided/semantic/classes", latched_profile())  # long after it was published
    assert listener.spin_until(lambda: listener.received["/guided/semantic/classes"])
    [names] = listener.received["/guided/semantic/classes"]
    assert ClassMap.of(json.loads(names.data)) == CITYSCAPES
    bag = make_bag(frames=10, width=320, height=96)
    found, images, infos = drive(listener, start, bag, "guided", outputs=OUTPUTS | SEMANTIC_OUTPUTS)
    check(found, images, infos)
    check_semantics(found, CITYSCAPES)
