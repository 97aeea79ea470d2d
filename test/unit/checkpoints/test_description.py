# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""What `depth inspect` says of a checkpoint, and of a file that is none."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth import CheckpointInfo, save_checkpoint
from depth_node.checkpoints.description import describe
from depth_node.cli.main import main
from depth_node.config.network import NetworkConfig
from depth_node.networks.factory import build_depth_network


def write(path, **info):
    network = NetworkConfig(width=96, height=64)
    depth = build_depth_network(network, pretrained=False)
    save_checkpoint(path, CheckpointInfo(network, **info), depth)
    return sum(tensor.numel() for tensor in depth.state_dict().values())


def test_it_says_what_the_file_says(tmp_path):
    training = {"steps": 7, "supervision": "video", "licence": "MIT", "teacher": "a/b", "metrics": {"val/abs_rel": 0.2}}
    camera = TrainingCamera(96, 64, 48.0, 48.0, 47.5, 31.5)
    count = write(tmp_path / "a.safetensors", scale=2.0, scale_source="lidar", camera=camera, training=training)
    facts = describe(tmp_path / "a.safetensors")
    assert facts["networks"] == f"depth {count / 1e6:.2f} M values"
    assert facts["architecture"] == "lite_hr_depth"
    assert facts["camera"] == "focal length 0.500 of the width at 96x64"
    assert facts["metres"] == "2 per unit, from lidar"
    assert (facts["learnt from"], facts["teacher"], facts["licence"]) == ("video", "a/b", "MIT")
    assert (facts["steps"], facts["scores"]) == ("7", "val/abs_rel 0.2")


def test_a_distilled_one_names_its_teacher_as_depth_distill_stores_it(tmp_path):
    write(tmp_path / "a.safetensors", training={"settings": {"distillation.teacher": "hr.safetensors"}})
    assert describe(tmp_path / "a.safetensors")["teacher"] == "hr.safetensors"


def test_imported_weights_without_a_licence_are_not_the_users(tmp_path):
    write(tmp_path / "a.safetensors", training={"imported_from": "hr_depth", "files": "lite"})
    facts = describe(tmp_path / "a.safetensors")
    assert facts["learnt from"] == "hr_depth's authors, lite"
    assert facts["licence"] == "not said in the file: that of the weights' authors"
    write(tmp_path / "b.safetensors", training={"imported_from": "hr_depth"}, licence="MIT")
    assert describe(tmp_path / "b.safetensors")["licence"] == "MIT"


def test_what_it_does_not_know_is_said(tmp_path, capsys):
    write(tmp_path / "a.safetensors")
    assert main(["inspect", str(tmp_path / "a.safetensors"), "--json", str(tmp_path / "a.json")]) == 0
    said = capsys.readouterr().out
    assert "unknown: relative depth" in said
    assert "metres do not follow the lens" in said
    stored = json.loads((tmp_path / "a.json").read_text())["checkpoints"][0]
    assert stored == describe(tmp_path / "a.safetensors")


@pytest.mark.parametrize("name", ["missing.safetensors", "other.safetensors"])
def test_other_files_are_one_line(tmp_path, capsys, name):
    save_file({"a": torch.zeros(1)}, tmp_path / "other.safetensors")
    assert main(["inspect", str(tmp_path / name)]) == 1
    assert capsys.readouterr().err.count("\n") == 1
