# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Flags made from configuration classes."""

from __future__ import annotations

import pytest

from depth_node.cli.arguments import add_settings, read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.config.evaluation import EvaluationConfig
from depth_node.config.network import NetworkConfig
from depth_node.errors import ConfigError


def parse(config, arguments, prefix=""):
    parser = CommandParser("test", "")
    add_settings(parser, config, prefix)
    return read_settings(parser.parse_args(arguments), config, prefix)


def test_no_flag_means_every_default():
    assert parse(EvaluationConfig, []) == EvaluationConfig()


def test_flags_of_every_type():
    got = parse(EvaluationConfig, ["--no_median_scaling", "--cap=50", "--crop", "none", "--every", "3"])
    assert got == EvaluationConfig(median_scaling=False, cap=50.0, crop="none", every=3)
    assert parse(EvaluationConfig, ["--median_scaling"]).median_scaling


def test_prefix_groups_flags():
    assert parse(NetworkConfig, ["--network.height=256"], "network.") == NetworkConfig(height=256)


def test_wrong_type_and_choice_are_wrong_usage(capsys):
    for arguments in (["--cap=far"], ["--crop=eigen"]):
        with pytest.raises(SystemExit) as left:
            parse(EvaluationConfig, arguments)
        assert left.value.code == 2
    assert "garg" in capsys.readouterr().err


def test_out_of_bounds_is_a_configuration_error():
    with pytest.raises(ConfigError, match="out of bounds"):
        parse(EvaluationConfig, ["--cap=0.01"])
