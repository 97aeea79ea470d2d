# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What `depth distill` takes from the teacher, and what the command line overrides."""

from pathlib import Path

import pytest
import torch

from depth_node.checkpoints.depth import CheckpointInfo, save_checkpoint
from depth_node.cli import distill
from depth_node.cli.command_parser import CommandParser
from depth_node.config.network import NetworkConfig
from depth_node.config.training import TrainConfig
from depth_node.networks.factory import build_depth_network, build_pose_network

TEACHER = NetworkConfig("monodepth2_resnet18", pose="posenet", height=96, width=256, min_depth=0.5, max_depth=80.0)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("teacher") / "best.safetensors"
    save_checkpoint(path, CheckpointInfo(), build_depth_network(TEACHER), build_pose_network(TEACHER))
    return path


@pytest.fixture
def asked(monkeypatch):
    """A function that runs `depth distill` up to training, and returns network and settings of that."""

    def ask(*arguments):
        found = []
        monkeypatch.setattr(distill, "train", lambda _, network, config: found.extend((network, config)) or 0)
        parser = CommandParser("distill", "")
        distill.add_arguments(parser)
        args = parser.parse_args([*arguments, "--data", "drives", "--output", "run"])
        assert distill.run(args) == 0
        return found

    return ask


def test_what_is_not_given_follows_the_teacher(asked, teacher):
    network, config = asked("--teacher", str(teacher))
    assert network == NetworkConfig(
        "lite_hr_depth", pose="posenet", height=96, width=256, min_depth=0.5, max_depth=80.0
    )
    assert config.distillation.teacher == config.initial_pose == str(teacher)
    assert config.distillation.photometric
    assert config.batch_size == TrainConfig().batch_size


def test_what_is_given_wins(asked, teacher):
    sizes = ("--network.height", "64", "--network.width", "128", "--network.pose", "pose_resnet18")
    student = ("--student", "hr_depth_resnet18", "--teacher_only", "--distillation.compare", "disparity")
    network, config = asked("--teacher", str(teacher), *sizes, *student, "--steps", "7")
    assert (network.architecture, network.height, network.width) == ("hr_depth_resnet18", 64, 128)
    assert not config.distillation.photometric
    assert (config.distillation.compare, config.steps) == ("disparity", 7)
    assert config.initial_pose == ""  # the teacher's is of another kind


def test_a_guided_student_is_guided_by_the_teachers_semantics(asked, guided_checkpoint):
    network, config = asked("--teacher", str(guided_checkpoint), "--network.guided")
    assert network.guided
    assert config.semantic == str(guided_checkpoint)
    assert asked("--teacher", str(guided_checkpoint))[1].semantic == ""


def test_a_config_file_serves_both_commands(asked, teacher, tmp_path):
    file = Path(tmp_path / "settings.yaml")
    file.write_text("batch_size: 3\nnetwork:\n  height: 128\nloss:\n  ssim: 0.5\n")
    network, config = asked("--teacher", str(teacher), "--config", str(file))
    assert (network.height, network.width) == (128, 256)
    assert (config.batch_size, config.loss.ssim) == (3, 0.5)
