# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Every network as ONNX in onnxruntime and as a torch.export program: the same metres and scores as in PyTorch."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from depth_node.checkpoints.depth import METADATA_KEY, Checkpoint, CheckpointInfo, load_checkpoint
from depth_node.checkpoints.depth_info import from_json
from depth_node.checkpoints.semantic import SemanticInfo
from depth_node.config.classes import CITYSCAPES
from depth_node.config.export import ExportConfig
from depth_node.config.network import ARCHITECTURES, GuidanceConfig, NetworkConfig
from depth_node.config.semantic import SemanticConfig
from depth_node.errors import ConfigError, OutputError
from depth_node.export.check import TOLERANCE, check
from depth_node.export.exporting import export_checkpoint
from depth_node.geometry.disparity import disparity_to_depth
from depth_node.networks.depth_model import DepthModel
from depth_node.networks.factory import build_depth_network
from depth_node.networks.semantic import SemanticNetwork, fingerprint

HEIGHT, WIDTH = 64, 96
SMALL = SemanticConfig(encoder="tu-mobilenetv3_small_050", pyramid_channels=64, segmentation_channels=32)
SCALE = 12.5
PACKNET = {"min_depth": 0.5, "max_depth": 1e6}
QUICK = (("lite_hr_depth", False), ("monodepth2_resnet18", True))  # the other exports take minutes together
EVERY_NETWORK = [
    pytest.param(architecture, guided, marks=[] if (architecture, guided) in QUICK else [pytest.mark.slow])
    for architecture in ARCHITECTURES
    for guided in (False, True)
]


def model_of(checkpoint):
    """The networks of a checkpoint as one module, as they are exported."""
    return DepthModel(checkpoint.depth, checkpoint.semantic, checkpoint.info.scale)


def make_checkpoint(architecture, guided=False, with_semantic=False, seed=0):
    """A checkpoint with random weights whose depth is far from flat."""
    torch.manual_seed(seed)
    semantic = SemanticNetwork(SMALL, CITYSCAPES).freeze() if guided or with_semantic else None
    # One level with an interpolated guide and one with a guide of its own: each more takes seconds to export.
    guidance = GuidanceConfig(levels="1,3")
    depth_range = PACKNET if architecture == "packnet01" else {}
    config = NetworkConfig(
        architecture=architecture, height=HEIGHT, width=WIDTH, guided=guided, guidance=guidance, **depth_range
    )
    depth = build_depth_network(config, semantic_channels=semantic.channels if semantic else ()).eval()
    spread_out(depth, semantic)
    about = SemanticInfo(SMALL, CITYSCAPES, HEIGHT, WIDTH) if semantic else None
    return Checkpoint(CheckpointInfo(config, scale=SCALE, scale_source="lidar", semantic=about), depth, None, semantic)


@torch.no_grad()
def spread_out(depth, semantic):
    """Let fresh heads, which are almost flat, fill the middle of their range."""
    image = torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(5))
    for head in depth.decoder.heads:
        head.conv.weight.mul_(10.0)  # a flat answer has no spread to measure in float32
    raw = depth(image, scales=4, semantic_maps=semantic(image).maps if semantic else None)[0].logit()
    finest = depth.decoder.heads[0].conv
    finest.weight.mul_(1.5 / raw.std())
    finest.bias.copy_((finest.bias - raw.mean()) * 1.5 / raw.std())


@torch.no_grad()
def metres_and_scores(checkpoint, image):
    """What the networks say, put together by hand; also the disparity."""
    semantic = checkpoint.semantic(image) if checkpoint.semantic else None
    disparity = checkpoint.depth(image, scales=1, semantic_maps=semantic.maps if semantic else None)[0]
    network = checkpoint.info.network
    depth = SCALE * disparity_to_depth(disparity, network.min_depth, network.max_depth)
    return disparity, depth, semantic.logits if semantic else None


def run_onnx(path, image):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"image": image.numpy()}), strict=True)), session


def assert_same(checkpoint, image, found):
    disparity, depth, logits = metres_and_scores(checkpoint, image)
    assert disparity.std() > 0.1, "a flat depth would show nothing"
    inverse = 1 / depth
    np.testing.assert_allclose(1 / np.asarray(found["depth"]), inverse, rtol=0, atol=1e-4 * float(inverse.max()))
    assert ("logits" in found) == (logits is not None)
    if logits is not None:
        np.testing.assert_allclose(found["logits"], logits, rtol=0, atol=1e-4 * float(logits.max() - logits.min()))


@pytest.fixture
def picture():
    return torch.rand(1, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(7))


@pytest.fixture(scope="module")
def guided_onnx(tmp_path_factory):
    """A guided checkpoint and its ONNX file."""
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    checkpoint = make_checkpoint("monodepth2_resnet18", guided=True)
    path = tmp_path_factory.mktemp("onnx") / "network.onnx"
    return checkpoint, path, export_checkpoint(checkpoint, path, ExportConfig())


@pytest.mark.parametrize(("architecture", "guided"), EVERY_NETWORK)
def test_onnx_gives_the_same(architecture, guided, picture, tmp_path, request):
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    if (architecture, guided) == ("monodepth2_resnet18", True):
        checkpoint, path, differences = request.getfixturevalue("guided_onnx")
    else:
        checkpoint, path = make_checkpoint(architecture, guided), tmp_path / "network.onnx"
        differences = export_checkpoint(checkpoint, path, ExportConfig())
    found, _ = run_onnx(path, picture)
    assert_same(checkpoint, picture, found)
    assert set(differences) == set(found)
    assert 0 < max(differences.values()) < TOLERANCE
    assert [file.name for file in path.parent.iterdir()] == ["network.onnx"]


@pytest.mark.parametrize("guided", [False, True])
def test_a_torch_program_gives_the_same(guided, picture, tmp_path):
    checkpoint, path = make_checkpoint("monodepth2_resnet18", guided), tmp_path / "network.pt2"
    assert max(export_checkpoint(checkpoint, path, ExportConfig()).values()) < TOLERANCE
    extra = {METADATA_KEY: ""}
    program = torch.export.load(path, extra_files=extra)
    assert_same(checkpoint, picture, program.module()(picture))
    assert from_json(extra[METADATA_KEY], path) == checkpoint.info
    assert_no_paths(path)


def test_an_open_batch_takes_any_number(tmp_path):
    checkpoint, path = make_checkpoint("monodepth2_resnet18"), tmp_path / "network.pt2"
    export_checkpoint(checkpoint, path, ExportConfig(batch=0))
    program = torch.export.load(path).module()
    for batch in (1, 3):
        images = torch.rand(batch, 3, HEIGHT, WIDTH)
        assert_same(checkpoint, images, program(images))


def test_an_onnx_file_describes_itself(guided_onnx, picture):
    checkpoint, path, _ = guided_onnx
    _, session = run_onnx(path, picture)
    (given,), (depth, logits, *_) = session.get_inputs(), session.get_outputs()
    assert (given.name, given.shape) == ("image", [1, 3, HEIGHT, WIDTH])
    assert (depth.name, depth.shape) == ("depth", [1, 1, HEIGHT, WIDTH])
    assert (logits.name, logits.shape) == ("logits", [1, 19, HEIGHT // 4, WIDTH // 4])
    text = session.get_modelmeta().custom_metadata_map[METADATA_KEY]
    assert from_json(text, path) == checkpoint.info
    assert json.loads(text)["semantic"]["classes"]["names"][0] == "road"
    assert_no_paths(path)


def assert_no_paths(path):
    """No file names of the machine that exported."""
    content = path.read_bytes()
    assert str(Path(__file__).parents[3]).encode() not in content
    assert b"site-packages" not in content


def test_half_a_checkpoint(tmp_path):
    checkpoint = make_checkpoint("lite_hr_depth", guided=True)
    sizes = {}
    for half in (False, True):
        path = tmp_path / f"{half}.safetensors"
        assert export_checkpoint(checkpoint, path, ExportConfig(half=half)) is None
        sizes[half] = path.stat().st_size
        loaded = load_checkpoint(path)
        assert loaded.info == checkpoint.info
        assert (fingerprint(loaded.semantic) == fingerprint(checkpoint.semantic)) == (not half)
        assert loaded.pose is None
    assert sizes[True] < 0.6 * sizes[False]


@pytest.fixture
def lite():
    return make_checkpoint("lite_hr_depth", with_semantic=True)


def test_a_network_is_like_itself(lite):
    network = model_of(lite)
    assert check(network, network, batch=0) == {"depth": 0.0, "logits": 0.0}


def test_another_network_does_not_pass(lite):
    network, other = model_of(lite), model_of(make_checkpoint("lite_hr_depth", True, seed=1))
    with pytest.raises(OutputError, match=r"the exported (depth|logits) differs from PyTorch's by"):
        check(network, other)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda depth: depth * 1.01, "the exported depth differs from PyTorch's by"),
        (lambda depth: depth.where(depth > depth.min(), torch.nan), "differs from PyTorch's by inf"),
        (lambda depth: depth[..., 1:], r"has shape \(1, 1, 64, 95\) instead of \(1, 1, 64, 96\)"),
    ],
)
def test_what_is_wrong_does_not_pass(lite, spoil, says):
    network = model_of(lite)

    def wrong(image):
        found = network(image)
        return found | {"depth": spoil(found["depth"])}

    with pytest.raises(OutputError, match=says):
        check(network, wrong)


def test_what_does_not_pass_is_not_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("depth_node.export.check.TOLERANCE", -1.0)
    old = tmp_path / "network.pt2"
    old.write_text("what was there")
    with pytest.raises(OutputError, match="differs from PyTorch's"):
        export_checkpoint(make_checkpoint("monodepth2_resnet18"), old, ExportConfig())
    assert old.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [old]


class Fickle(nn.Module):
    """Chooses its way by the numbers it sees, which no exporter can follow."""

    def forward(self, image):
        return [image.mean(1, keepdim=True) if float(image.mean()) > 0.1 else image[:, :1]]


def test_what_cannot_be_exported_is_one_line(lite, tmp_path):
    lite.depth.forward = lambda image, scales, semantic_maps: Fickle()(image)
    with pytest.raises(OutputError, match=r"^lite_hr_depth cannot be exported to .*pt2: ") as caught:
        export_checkpoint(lite, tmp_path / "network.pt2", ExportConfig())
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_wrong_request_is_one_line(lite, tmp_path, monkeypatch):
    def refused(name, error, says, **settings):
        with pytest.raises(error, match=says):
            export_checkpoint(lite, tmp_path / name, ExportConfig(**settings))

    refused("network.tflite", ConfigError, r"'.tflite' of .* use .onnx, .pt2, .safetensors")
    refused("network.onnx", ConfigError, "half is for .safetensors", half=True)
    (tmp_path / "folder.onnx").mkdir()
    refused("folder.onnx", OutputError, "is a folder: name the file")
    (tmp_path / "file").touch()
    refused("file/network.pt2", OutputError, "cannot write .*: (Not a directory|File exists)")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    refused("network.onnx", ConfigError, "need the Python package onnxscript: pip install onnx onnxscript")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.onnx"]


def test_scale_is_folded_in(lite, picture):
    double = dataclasses.replace(lite, info=dataclasses.replace(lite.info, scale=2 * SCALE))
    once, twice = (model_of(given)(picture)["depth"] for given in (lite, double))
    torch.testing.assert_close(twice, 2 * once)
