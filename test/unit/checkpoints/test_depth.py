# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint returns what went in, bit for bit, and every wrong file gets one clear line."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth import (
    METADATA_KEY,
    CheckpointInfo,
    load_checkpoint,
    read_info,
    restate,
    save_checkpoint,
)
from depth_node.checkpoints.semantic import load_semantic
from depth_node.checkpoints.semantic_info import SemanticInfo
from depth_node.config.classes import CITYSCAPES
from depth_node.config.network import ARCHITECTURES, NetworkConfig
from depth_node.config.semantic import SemanticConfig
from depth_node.config.setting import values
from depth_node.errors import CheckpointError
from depth_node.networks.factory import build_depth_network, build_pose_network
from depth_node.networks.semantic import SemanticNetwork, fingerprint

SMALL = SemanticConfig(encoder="tu-mobilenetv3_small_050", pyramid_channels=32, segmentation_channels=32)
LITE = NetworkConfig(architecture="lite_hr_depth", pose="posenet", height=64, width=96, max_depth=80.0)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Path, description and networks of a checkpoint."""
    torch.manual_seed(0)
    depth, pose = build_depth_network(LITE), build_pose_network(LITE)
    info = CheckpointInfo(
        network=LITE,
        camera=TrainingCamera(96, 64, 70.5, 71.0, 47.5, 31.5),
        scale=27.25,
        scale_source="lidar",
        training={"steps": 7, "metrics": {"abs_rel": 0.1}},
    )
    path = tmp_path_factory.mktemp("checkpoint") / "good.safetensors"
    save_checkpoint(path, info, depth, pose)
    return path, info, depth, pose


def assert_equal_bits(first, second):
    a, b = first.state_dict(), second.state_dict()
    assert list(a) == list(b)
    for name in a:
        assert a[name].dtype == b[name].dtype
        assert a[name].numpy().tobytes() == b[name].numpy().tobytes(), name


def rewrite(source, target, metadata=None, **changes):
    """Copy a checkpoint with entries of its description changed, or with other metadata altogether."""
    with safe_open(source, "pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        record = json.loads(file.metadata()[METADATA_KEY])
    save_file(tensors, target, {METADATA_KEY: json.dumps(record | changes)} if metadata is None else metadata)
    return target


def failure(path):
    """The one line that a bad checkpoint gives."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_weights_and_description_come_back(good):
    path, info, depth, pose = good
    loaded = load_checkpoint(path)
    assert loaded.info == info == read_info(path)
    assert_equal_bits(loaded.depth, depth)
    assert_equal_bits(loaded.pose, pose)
    assert not loaded.depth.training


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "packnet01"])
def test_every_architecture_comes_back(architecture, tmp_path):
    config = NetworkConfig(architecture=architecture)
    depth = build_depth_network(config)
    with torch.no_grad():  # not what a fresh network would have anyway
        for number, tensor in enumerate(depth.state_dict().values()):
            tensor.add_(number)
    save_checkpoint(tmp_path / "net.safetensors", CheckpointInfo(network=config), depth)
    loaded = load_checkpoint(tmp_path / "net.safetensors")
    assert_equal_bits(loaded.depth, depth)
    assert loaded.pose is None


def test_saving_again_gives_the_same_bytes(good, tmp_path):
    path = good[0]
    loaded = load_checkpoint(path)
    save_checkpoint(tmp_path / "again.safetensors", loaded.info, loaded.depth, loaded.pose)
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_channels_last_weights_come_back(good, tmp_path):
    _, info, depth, _ = good
    moved = build_depth_network(LITE).to(memory_format=torch.channels_last)
    moved.load_state_dict(depth.state_dict())
    save_checkpoint(tmp_path / "moved.safetensors", info, moved)
    assert_equal_bits(load_checkpoint(tmp_path / "moved.safetensors").depth, depth)


def test_pose_can_be_left_out(good):
    assert load_checkpoint(good[0], with_pose=False).pose is None


@pytest.fixture(scope="module")
def guided(tmp_path_factory):
    """Path, depth and semantic network of a guided checkpoint."""
    torch.manual_seed(1)
    semantic = SemanticNetwork(SMALL, CITYSCAPES).freeze()
    config = dataclasses.replace(LITE, guided=True)
    depth = build_depth_network(config, semantic_channels=semantic.channels)
    path = tmp_path_factory.mktemp("guided") / "guided.safetensors"
    info = CheckpointInfo(network=config, semantic=SemanticInfo(SMALL, CITYSCAPES, 64, 96, miou=0.5))
    save_checkpoint(path, info, depth, semantic=semantic)
    return path, depth, semantic


def test_a_guided_network_comes_back_with_its_semantics(guided):
    path, depth, semantic = guided
    loaded = load_checkpoint(path)
    assert_equal_bits(loaded.depth, depth)
    assert loaded.semantic.frozen
    assert fingerprint(loaded.semantic) == fingerprint(semantic)
    assert loaded.info.semantic.classes == CITYSCAPES
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        expected = depth.eval()(image, 1, semantic.eval()(image).maps)[0]
        torch.testing.assert_close(loaded.depth(image, 1, loaded.semantic(image).maps)[0], expected)


def test_semantics_can_be_read_from_a_depth_checkpoint(guided):
    info, network = load_semantic(guided[0])
    assert info.miou == 0.5
    assert fingerprint(network) == fingerprint(guided[2])


def test_semantics_and_their_description_belong_together(guided, tmp_path):
    with pytest.raises(ValueError, match="or neither"):
        save_checkpoint(tmp_path / "x.safetensors", CheckpointInfo(), guided[1], semantic=guided[2])


def test_half_precision_halves_the_file_and_little_else(guided, tmp_path):
    path, depth, semantic = guided
    loaded = load_checkpoint(path)
    save_checkpoint(tmp_path / "half.safetensors", loaded.info, depth, semantic=semantic, half=True)
    assert (tmp_path / "half.safetensors").stat().st_size < 0.56 * path.stat().st_size
    again = load_checkpoint(tmp_path / "half.safetensors").depth
    for ours, theirs in zip(again.parameters(), depth.parameters(), strict=True):
        assert ours.dtype == torch.float32
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-6)


def test_another_description_keeps_every_bit(guided, tmp_path):
    path, depth, _ = guided
    half = tmp_path / "half.safetensors"
    loaded = load_checkpoint(path)
    save_checkpoint(half, loaded.info, depth, semantic=loaded.semantic, half=True)
    with safe_open(half, "pt") as file:
        before = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    restate(half, dataclasses.replace(read_info(half), scale=3.5))
    assert read_info(half).scale == 3.5
    with safe_open(half, "pt") as file:
        for name, tensor in before.items():
            assert torch.equal(file.get_tensor(name), tensor), name


def test_files_of_the_first_format_are_read(good, tmp_path):
    path = rewrite(
        good[0],
        tmp_path / "old.safetensors",
        format=1,
        semantic=None,
        network={"architecture": "lite_hr_depth", "pose": "posenet"},
    )
    assert load_checkpoint(path).info.semantic is None


def test_the_network_knows_its_own_configuration(good, tmp_path):
    """ImageNet weights may have changed the order of operations; the file must say so."""
    _, info, _, _ = good
    timms = build_depth_network(dataclasses.replace(LITE, timm_se_order=True))
    save_checkpoint(tmp_path / "timm.safetensors", info, timms)
    assert read_info(tmp_path / "timm.safetensors").network.timm_se_order


def test_an_order_does_not_load_as_the_other(good, tmp_path):
    network = {**values(LITE), "timm_se_order": True}
    message = failure(rewrite(good[0], tmp_path / "other.safetensors", network=network))
    assert "does not fit the network it names" in message


def test_a_failed_write_leaves_the_old_file(good, tmp_path, monkeypatch):
    _, info, depth, _ = good
    target = tmp_path / "kept.safetensors"
    target.write_bytes(b"old")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(CheckpointError, match=r"cannot write checkpoint .*No space left"):
        save_checkpoint(target, info, depth)
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["kept.safetensors"]


def test_a_folder_that_cannot_be_made(good, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match="cannot write checkpoint"):
        save_checkpoint(tmp_path / "file" / "net.safetensors", good[1], good[2])


def test_a_summary_that_is_not_json(good, tmp_path):
    with pytest.raises(CheckpointError, match="JSON"):
        save_checkpoint(tmp_path / "x.safetensors", good[1].with_training(config=object()), good[2])
    assert os.listdir(tmp_path) == []


def torch_file(**options):
    buffer = io.BytesIO()
    torch.save({"weight": torch.ones(2)}, buffer, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"hi", "is a text file, not a depth_node checkpoint"),
        (b"epoch: 3\nlearning_rate: 0.1\n", "is a text file, not a depth_node checkpoint"),
        (b'{"a": 1, "b": 2}', "is a text file, not a depth_node checkpoint"),
        (b"\x08\x0a\x12\x07pytorch", "is an ONNX network, which the live node alone runs, not a depth_node checkpoint"),
        (torch_file(), "is a pickled PyTorch file, not a depth_node checkpoint"),
        (torch_file(_use_new_zipfile_serialization=False), "is a pickled PyTorch file, not a depth_node checkpoint"),
        (pickle.dumps({"a": 1}), "is a pickled PyTorch file, not a depth_node checkpoint"),
        (bytes(range(255, 0, -1)), "is some other file, not a depth_node checkpoint"),
        ((20).to_bytes(8, "little") + b'{"broken": "header', "is damaged or cut off"),
    ],
    ids=["empty", "two bytes", "text", "json", "onnx", "torch zip", "torch legacy", "pickle", "binary", "bad header"],
)
def test_other_files(content, says, tmp_path):
    path = tmp_path / "wrong.safetensors"
    path.write_bytes(content)
    message = failure(path)
    assert says in message
    assert str(path) in message


@pytest.mark.parametrize("keep", [9, 500, -5000, -1])
def test_cut_off_files(good, keep, tmp_path):
    path = tmp_path / "cut.safetensors"
    path.write_bytes(good[0].read_bytes()[:keep])
    assert "is damaged or cut off" in failure(path)


def test_a_missing_file_and_a_folder(tmp_path):
    assert "does not exist" in failure(tmp_path / "none.safetensors")
    assert "is a folder" in failure(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file(good, tmp_path):
    path = rewrite(good[0], tmp_path / "secret.safetensors")
    path.chmod(0)
    assert "cannot read checkpoint" in failure(path)


def test_weights_without_our_description(good, tmp_path):
    assert "not written by depth_node" in failure(rewrite(good[0], tmp_path / "plain.safetensors", metadata={}))
    other = {"format": "pt"}
    assert "not written by depth_node" in failure(rewrite(good[0], tmp_path / "other.safetensors", metadata=other))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 3, "package_version": "9.1.0"}, "was written by depth_node 9.1.0 in format 3"),
        ({"semantic": {"format": 1}}, "malformed semantic description"),
        ({"network": {"architecture": "vision_transformer"}}, "must be one of hr_depth_resnet18"),
        ({"network": {"hight": 64}}, "did you mean 'height'"),
        ({"network": {"height": 100}}, "not a multiple of 32"),
        ({"network": None}, "malformed description"),
        ({"camera": {"width": 3}}, "malformed description"),
        ({"scale": "big"}, "malformed description"),
        ({"format": "one"}, "malformed description"),
    ],
    ids=["newer", "semantics", "architecture", "setting", "size", "no network", "camera", "scale", "format"],
)
def test_descriptions_that_cannot_be_followed(good, changes, says, tmp_path):
    assert says in failure(rewrite(good[0], tmp_path / "odd.safetensors", **changes))


@pytest.mark.parametrize("text", ["", "no json", "[]", "{}", "null"])
def test_descriptions_that_are_none(good, text, tmp_path):
    path = rewrite(good[0], tmp_path / "odd.safetensors", metadata={METADATA_KEY: text})
    assert "malformed description" in failure(path)


def test_tensors_that_do_not_fit(good, tmp_path):
    wrong = {**values(LITE), "architecture": "hr_depth_resnet18"}
    assert "does not fit the network it names" in failure(rewrite(good[0], tmp_path / "a.safetensors", network=wrong))
    tensors = {f"depth.{name}": tensor for name, tensor in good[2].state_dict().items()}
    name = "depth.decoder.heads.0.conv.bias"
    with safe_open(good[0], "pt") as file:
        metadata = file.metadata()
    save_file({**tensors, name: torch.zeros(3)}, tmp_path / "b.safetensors", metadata)
    assert f"tensor {name} is (3,), expected (1,)" in failure(tmp_path / "b.safetensors")
    save_file({**tensors, "depth.extra": torch.zeros(3)}, tmp_path / "c.safetensors", metadata)
    assert "tensor depth.extra is (3,), expected none of this name" in failure(tmp_path / "c.safetensors")
    del tensors[name]
    save_file(tensors, tmp_path / "d.safetensors", metadata)
    assert f"tensor {name} is missing, expected (1,)" in failure(tmp_path / "d.safetensors")
