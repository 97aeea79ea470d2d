# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The documents' tables are those of the code, and the code's list of topics is what a node really has."""

from __future__ import annotations

import runpy
import time
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="rclpy is not installed")
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter

from depth_node.ros.live.node import DepthNode
from depth_node.ros.live.scale_inputs import TFMessage
from depth_node.ros.recorder_node import RecorderNode

ROOT = Path(__file__).parents[2]
MADE = runpy.run_path(str(ROOT / "test/interface_tables.py"))
EVERY_NODE = {"/rosout", "/parameter_events", "/clock"}


@pytest.mark.parametrize("name", MADE["DOCUMENTS"])
def test_the_tables_of_the_documents_are_those_of_the_code(name):
    text = (ROOT / name).read_text()
    assert MADE["MARKED"].search(text)
    assert text == MADE["renewed"](text), "run python test/interface_tables.py"


def test_every_table_is_in_a_document():
    texts = "".join((ROOT / name).read_text() for name in MADE["DOCUMENTS"])
    assert {found["table"] for found in MADE["MARKED"].finditer(texts)} == set(MADE["TABLES"])


def graph(node, kind, wanted, patience=10.0):
    """What a node publishes or subscribes to by its own words in the graph: topic to type and QoS."""
    find = {"publisher": node.get_publishers_info_by_topic, "subscriber": node.get_subscriptions_info_by_topic}[kind]
    names = {
        "publisher": node.get_publisher_names_and_types_by_node,
        "subscriber": node.get_subscriber_names_and_types_by_node,
    }
    deadline = time.monotonic() + patience
    while True:
        topics = [name for name, _ in names[kind](node.get_name(), node.get_namespace())]
        found = {
            topic: (each.topic_type.replace("/msg/", "/"), each.qos_profile)
            for topic in topics
            if topic not in EVERY_NODE and not topic.startswith(node.get_fully_qualified_name() + "/")
            for each in find(topic)
            if each.node_name == node.get_name() and each.node_namespace == node.get_namespace()
        }
        if len(found) >= wanted or time.monotonic() > deadline:
            return found
        time.sleep(0.1)


def there(node, listed):
    """Topics of the list whose packages are installed, by full name."""
    return {node.resolve_topic_name(name): about for name, about in listed.items() if not isinstance(about.kind, str)}


@pytest.fixture
def live(ros, guided_checkpoint):
    given = {"checkpoint": str(guided_checkpoint), "backend": "torch"}
    overrides = [Parameter(name, value=value) for name, value in given.items()]
    node = DepthNode(namespace="listed", parameter_overrides=overrides)
    assert node.trigger_configure() == TransitionCallbackReturn.SUCCESS
    assert node.trigger_activate() == TransitionCallbackReturn.SUCCESS
    yield node
    node.destroy_node()


def test_a_running_node_publishes_what_is_listed(live):
    listed = there(live, MADE["ALL_OUTPUTS"])
    found = graph(live, "publisher", len(listed))
    assert set(found) == set(listed)
    for topic, about in listed.items():
        kind, profile = found[topic]
        assert kind == MADE["type_name"](about.kind)
        wanted = about.profile()
        assert (profile.reliability, profile.durability) == (wanted.reliability, wanted.durability)


def test_a_running_node_subscribes_to_what_is_listed(live):
    listed = {live.resolve_topic_name(name): about for name, about in MADE["inputs"]().items()}
    if TFMessage is None:
        listed = {name: about for name, about in listed.items() if name not in ("/tf", "/tf_static")}
    compressed = listed.pop("/listed/image/compressed")  # only where there are no raw images
    found = graph(live, "subscriber", len(listed))
    assert set(found) == set(listed)
    assert {topic: kind for topic, (kind, _) in found.items()} == {
        topic: MADE["type_name"](about.kind) for topic, about in listed.items()
    }
    assert MADE["type_name"](compressed.kind) == "sensor_msgs/CompressedImage"


def test_a_running_node_serves_what_is_listed(live):
    served = dict(live.get_service_names_and_types_by_node(live.get_name(), live.get_namespace()))
    for name, (kind, _) in MADE["SERVICES"].items():
        full = live.get_fully_qualified_name() + name.removeprefix("~")
        assert served[full] == [f"{MADE['type_name'](kind).replace('/', '/srv/')}"]


def test_the_recorder_has_no_topic_but_diagnostics(ros):
    node = RecorderNode(namespace="listed")
    try:
        assert set(graph(node, "publisher", 1)) == {"/diagnostics"}
        assert graph(node, "subscriber", 0) == {}
    finally:
        node.destroy_node()
