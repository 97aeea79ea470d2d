# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import re
import time

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

from depth_node.ros.live.camera_input import image_topic
from depth_node.ros.qos import MatchedSubscription, incompatible_subscribers, input_profile

RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT


@pytest.fixture
def node(ros):
    made = ros.create_node("qos_test", namespace="qos")
    yield made
    made.destroy_node()


def wait(condition, timeout=20.0):
    deadline = time.monotonic() + timeout
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_nobody_known_is_best_effort():
    profile = input_profile([])
    assert (profile.reliability, profile.durability) == (BEST_EFFORT, DurabilityPolicy.VOLATILE)


def test_the_subscription_follows_its_publishers(node):
    subscription = MatchedSubscription(node, Image, "/qos/image", lambda _: None)
    assert subscription.reliability == "best effort"
    reliable = node.create_publisher(Image, "/qos/image", QoSProfile(depth=1, reliability=RELIABLE))
    assert wait(lambda: node.get_publishers_info_by_topic("/qos/image"))
    subscription.poll()
    assert subscription.reliability == "reliable"
    assert subscription.publishers == ["/qos/qos_test"]
    node.create_publisher(Image, "/qos/image", QoSProfile(depth=1, reliability=BEST_EFFORT))
    assert wait(lambda: len(node.get_publishers_info_by_topic("/qos/image")) == 2)
    subscription.poll()
    assert subscription.reliability == "best effort"
    assert len(list(node.subscriptions)) == 1
    node.destroy_publisher(reliable)
    subscription.close()


def test_a_latched_info_is_asked_for(node):
    node.create_publisher(CameraInfo, "/qos/info", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    assert wait(lambda: node.get_publishers_info_by_topic("/qos/info"))
    publishers = node.get_publishers_info_by_topic("/qos/info")
    assert input_profile(publishers, may_latch=True).durability == DurabilityPolicy.TRANSIENT_LOCAL
    assert input_profile(publishers).durability == DurabilityPolicy.VOLATILE


def test_a_publisher_of_another_type_does_not_count(ros, node):
    context = ros.Context()  # one participant cannot use a topic with two types
    ros.init(context=context)
    other = ros.create_node("other", context=context)
    other.create_publisher(CameraInfo, "/qos/mixed", 1)
    assert wait(lambda: node.get_publishers_info_by_topic("/qos/mixed"))
    subscription = MatchedSubscription(node, Image, "/qos/mixed", lambda _: None)
    assert subscription.publishers == []
    assert subscription.reliability == "best effort"
    other.destroy_node()
    ros.shutdown(context=context)


def test_subscribers_that_ask_for_too_much_are_found(node):
    node.create_publisher(Image, "/qos/out", QoSProfile(depth=1, reliability=BEST_EFFORT))
    node.create_subscription(Image, "/qos/out", lambda _: None, QoSProfile(depth=1, reliability=BEST_EFFORT))
    assert wait(lambda: len(node.get_subscriptions_info_by_topic("/qos/out")) == 1)
    assert incompatible_subscribers(node, "/qos/out") == []
    node.create_subscription(Image, "/qos/out", lambda _: None, QoSProfile(depth=1, reliability=RELIABLE))
    assert wait(lambda: len(node.get_subscriptions_info_by_topic("/qos/out")) == 2)
    [(name, reason)] = incompatible_subscribers(node, "/qos/out")
    assert name == "/qos/qos_test"
    assert re.search("best effort publisher and reliable subscription", reason, re.IGNORECASE)


@pytest.mark.parametrize(
    ("remap", "raw", "compressed"),
    [
        ([], "/cam/image", "/cam/image/compressed"),
        (["image:=/front/image_raw"], "/front/image_raw", "/front/image_raw/compressed"),
        (["image/compressed:=/jpeg"], "/cam/image", "/jpeg"),
    ],
)
def test_a_remapped_image_takes_its_compressed_sibling_along(ros, remap, raw, compressed):
    arguments = ["--ros-args", *(word for rule in remap for word in ("-r", rule))] if remap else []
    node = ros.create_node("names", namespace="cam", cli_args=arguments)
    assert (image_topic(node, "raw"), image_topic(node, "compressed")) == (raw, compressed)
    node.destroy_node()
