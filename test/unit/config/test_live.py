# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from depth_node.config.live import NodeConfig
from depth_node.config.setting import build
from depth_node.errors import ConfigError


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"depth.max": 0.05}, ["'depth.min' is 0.1", "below 'depth.max'"]),
        ({"points.min_range": 5.0, "points.max_range": 4.0}, ["points.min_range", "points.max_range"]),
        ({"depth.encoding": "mono16"}, ["depth.encoding", "32FC1, 16UC1"]),
        ({"points.strid": 2}, ["unknown parameter 'points.strid'", "'points.stride'"]),
        ({"depth.max": "far"}, ["depth.max", "float"]),
    ],
)
def test_wrong_values_are_named(given, words):
    with pytest.raises(ConfigError) as error:
        build(NodeConfig, given)
    assert all(word in str(error.value) for word in words)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, (1, 1000.0, 0.0)),
        ({"points.preset": "obstacles"}, (2, 10.0, 12.0)),
        ({"points.preset": "obstacles", "points.stride": 3, "points.clear_range": 11.0}, (3, 10.0, 11.0)),
        ({"points.preset": "full", "points.stride": 3}, (3, 1000.0, 0.0)),
    ],
)
def test_a_preset_of_the_cloud_sets_what_was_not_set(given, wanted):
    points = build(NodeConfig, given).points
    assert (points.stride, points.max_range, points.clear_range) == wanted


def test_a_preset_is_checked_like_any_range():
    with pytest.raises(ConfigError, match=r"must be below 'points.max_range', which is 10"):
        build(NodeConfig, {"points.preset": "obstacles", "points.min_range": 11.0})


def test_whole_numbers_do_for_floats():
    assert build(NodeConfig, {"depth.max": 50}).depth.max == 50.0
