# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files of settings: read before the flags, checked like them, wrong ones in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from depth_node.cli import train, train_semantic
from depth_node.cli.arguments import read_settings
from depth_node.cli.command_parser import CommandParser
from depth_node.cli.main import main
from depth_node.config.network import NetworkConfig
from depth_node.config.setting import values
from depth_node.config.training import TrainConfig

NEEDED = ("--data", "recorded", "--output", "run")


def parse(*arguments, needed=NEEDED):
    parser = CommandParser("train", "")
    train.add_arguments(parser)
    args = parser.parse_args([*arguments, *needed])
    return args, read_settings(args, NetworkConfig, "network."), read_settings(args, TrainConfig)


def test_a_recipe_by_name_gives_its_values():
    _, network, config = parse("--config", "tri_resnet50")
    assert (network.architecture, network.pose, network.guided) == ("monodepth2_resnet50", "posenet", True)
    assert (config.learning_rate, config.pose_learning_rate, config.loss.padding) == (2e-4, 5e-4, "zeros")


@pytest.mark.parametrize("order", [1, -1])
def test_flags_override_a_file_in_any_order(order):
    both = [["--config", "tri_packnet"], ["--no_network.guided", "--epochs=3", "--loss.tie_break", "1e-5"]]
    _, network, config = parse(*(word for words in both[::order] for word in words))
    assert (network.guided, config.epochs, config.loss.tie_break) == (False, 3, 1e-5)
    assert config.decay_repeats


def test_of_several_files_the_last_one_counts(tmp_path):
    (tmp_path / "mine.yaml").write_text("learning_rate: 1e-5\nepochs: 5\n")
    _, _, config = parse("--config", "tri_resnet18", f"--config={tmp_path / 'mine.yaml'}")
    assert (config.learning_rate, config.pose_learning_rate, config.epochs) == (1e-5, 5e-4, 5)


def test_a_run_can_be_repeated_by_its_own_file(tmp_path):
    network, config = NetworkConfig(height=64, guided=True), TrainConfig(steps=7, ema=0.5)
    flat = {f"network.{name}": value for name, value in values(network).items()} | values(config)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(flat))
    assert parse("--config", str(tmp_path / "config.yaml"))[1:] == (network, config)


def test_data_and_output_may_stand_in_a_file(tmp_path):
    (tmp_path / "all.yaml").write_text("data: here\noutput: there\n")
    args, _, _ = parse("--config", str(tmp_path / "all.yaml"), needed=())
    assert (args.data, args.output) == ("here", "there")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("network:\n  heigth: 64\n", "unknown setting 'network.heigth': did you mean 'network.height'?"),
        ("zebra: 1\n", "unknown setting 'zebra': `depth train --help` lists all"),
        ("epochs: many\n", "parameter 'epochs' is 'many' but must be of type int"),
        ("network:\n  height: 10\n", "parameter 'network.height' is 10, out of bounds"),
        ("loss:\n  padding: mirror\n", "parameter 'loss.padding' is 'mirror' but must be one of border, zeros"),
        ("- epochs\n", "must be a YAML mapping"),
        ("epochs: [\n", "is no YAML"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path, capsys, text, says):
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    assert main(["train", "--config", str(path), *NEEDED]) == 1
    complaints = capsys.readouterr().err.strip().splitlines()
    assert len(complaints) == 1
    assert complaints[0].startswith("depth train: ")
    assert str(path) in complaints[0]
    assert says in complaints[0]


def test_the_help_lists_the_recipes(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    shown = capsys.readouterr().out
    for name in ("monodepth2", "hr_depth", "lite_hr_depth", "tri_resnet18", "tri_resnet50", "tri_packnet"):
        assert f"\n  {name} " in shown


def test_flags_without_a_setting_are_read_from_files_as_from_the_command_line(tmp_path):
    (tmp_path / "mine.yaml").write_text("images: [a, b]\noutput: 2026\nclasses: camvid\n")
    parser = CommandParser("train-semantic", "")
    train_semantic.add_arguments(parser)
    args = parser.parse_args(["--config", str(tmp_path / "mine.yaml")])
    assert (args.images, args.output, args.classes) == ([Path("a"), Path("b")], "2026", "camvid")


def test_a_wrong_choice_in_a_file_is_one_line(tmp_path, capsys):
    (tmp_path / "mine.yaml").write_text("student: huge\n")
    assert main(["distill", "--config", str(tmp_path / "mine.yaml"), "--teacher", "t.safetensors", *NEEDED]) == 1
    text = capsys.readouterr().err
    assert f"{tmp_path / 'mine.yaml'}: 'student' takes one of lite, hr_depth_resnet18" in text
    assert text.count("\n") == 1


def test_a_settings_file_of_semantic_training(tmp_path):
    (tmp_path / "mine.yaml").write_text("network.encoder: tu-lcnet_075\n")
    parser = CommandParser("train-semantic", "")
    train_semantic.add_arguments(parser)
    args = parser.parse_args(["--config", str(tmp_path / "mine.yaml"), "--output", "run"])
    assert vars(args)["network.encoder"] == "tu-lcnet_075"
