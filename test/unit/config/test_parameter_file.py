# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
from pathlib import Path

import pytest
import yaml

from depth_node.config.live import NodeConfig
from depth_node.config.parameter_file import files, parameter_file
from depth_node.config.recorder import RecorderNodeConfig
from depth_node.config.setting import Validated, build, setting, settings, values

CONFIG = Path(__file__).parents[3] / "config"
CLASSES = {"depth.yaml": NodeConfig, "recorder.yaml": RecorderNodeConfig}


def flat(tree, prefix=""):
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_the_yaml_files_are_the_defaults_of_the_code(name):
    text = (CONFIG / name).read_text()
    assert text == files()[name], "run python -m depth_node.config.parameter_file"
    tree = yaml.safe_load(text)
    assert list(tree) == ["/**"], "any other root key loses against the command line, or wins when it should not"
    given = dict(flat(tree["/**"]["ros__parameters"]))
    defaults = values(CLASSES[name]())
    assert {key: tuple(v) if isinstance(v, list) else v for key, v in given.items()} == defaults
    assert {key: type(value) for key, value in given.items() if not isinstance(value, list)} == {
        key: type(value) for key, value in defaults.items() if not isinstance(value, tuple)
    }


@pytest.mark.parametrize("config", CLASSES.values())
def test_every_parameter_is_explained_and_has_a_value(config):
    for named in settings(config):
        assert named.about.help
        assert named.default is not None
        assert named.default != ()
    assert build(config, {}) == config()


def test_numbers_are_written_so_that_ros_reads_their_type():
    @dataclasses.dataclass(frozen=True)
    class Numbers(Validated):
        tiny: float = setting(1e-12, "x")
        whole: float = setting(3.0, "x")
        count: int = setting(3, "x")

    text = parameter_file(Numbers, "Numbers")
    assert "tiny: 1.0e-12" in text
    assert "whole: 3.0" in text
    assert "count: 3\n" in text
