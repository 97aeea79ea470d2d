# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rules for every configuration class of the package."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from typing import get_origin

import pytest

import depth_node.config
from depth_node.config.evaluation import EvaluationConfig
from depth_node.config.network import NetworkConfig
from depth_node.config.setting import Validated, build, settings
from depth_node.errors import ConfigError

MODULES = [
    importlib.import_module(f"depth_node.config.{m.name}") for m in pkgutil.iter_modules(depth_node.config.__path__)
]
CLASSES = sorted(
    {
        member
        for module in MODULES
        for member in vars(module).values()
        if dataclasses.is_dataclass(member) and isinstance(member, type) and issubclass(member, Validated)
    },
    key=lambda config: config.__name__,
)


@pytest.mark.parametrize("config", CLASSES, ids=lambda config: config.__name__)
def test_defaults_are_valid_and_explained(config):
    assert config() == build(config, {})
    for named in settings(config):
        assert named.about.help, f"{named.name} has no help"
        assert isinstance(named.default, get_origin(named.type) or named.type), (
            f"{named.name} has a default of another type"
        )
        assert named.default is not None, "ROS parameters know no null"


@pytest.mark.parametrize("config", CLASSES, ids=lambda config: config.__name__)
def test_bounds_are_enforced(config):
    for named in settings(config):
        about = named.about
        if about.choices:
            beyond = "no such choice"
        elif about.low is not None:
            beyond = about.low - 1
        elif about.high is not None:
            beyond = about.high + 1
        else:
            continue
        with pytest.raises(ConfigError, match=named.name.rsplit(".", maxsplit=1)[-1]):
            build(config, {named.name: beyond})


def test_network_input_is_a_multiple_of_the_stride():
    with pytest.raises(ConfigError, match="640x375 is not a multiple of 32: use 640x384"):
        NetworkConfig(height=375)


def test_depth_range_is_in_order():
    with pytest.raises(ConfigError, match="must be below max_depth"):
        NetworkConfig(min_depth=5.0, max_depth=2.0)
    with pytest.raises(ConfigError, match="must be below cap"):
        EvaluationConfig(min_depth=10.0, cap=5.0)
