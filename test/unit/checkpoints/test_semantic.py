# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Semantic networks on disk and by name: bit-equal, with their classes, and one clear line where not."""

from __future__ import annotations

import dataclasses
import json
import math
import time

import pytest
import segmentation_models_pytorch as smp
import torch
from safetensors.torch import save_file

from depth_node.checkpoints.container import read_container, tensors_of, write_container
from depth_node.checkpoints.semantic import SemanticInfo, load_semantic, save_semantic
from depth_node.config.classes import CITYSCAPES, ClassMap
from depth_node.config.semantic import SemanticConfig
from depth_node.errors import CheckpointError
from depth_node.networks import pretrained
from depth_node.networks.semantic import SemanticNetwork, fingerprint

FARM = ClassMap(("field", "sky", "cow"), ((0, 128, 0), (0, 0, 255), (255, 255, 255)), ("sky",), ("cow",), ("field",))
SMALL = SemanticConfig(encoder="tu-lcnet_050", pyramid_channels=64, segmentation_channels=32)
HUB_NAME = "smp-hub/segformer-b0-768x768-city-160k"


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    made = SemanticNetwork(SMALL, FARM)
    made(torch.rand(2, 3, 64, 64))  # statistics of their own
    return made.eval()


@pytest.fixture
def saved(network, tmp_path):
    path = tmp_path / "new" / "farm.safetensors"
    save_semantic(path, SemanticInfo(height=96, width=320, miou=0.5, training={"steps": 7}), network)
    return path


def test_a_network_comes_back_bit_equal(network, saved):
    info, loaded = load_semantic(saved)
    assert fingerprint(loaded) == fingerprint(network)
    assert info == SemanticInfo(SMALL, FARM, 96, 320, 0.5, {"steps": 7})
    assert loaded.classes == FARM
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        assert torch.equal(loaded(image).logits, network(image).logits)


def test_a_loaded_network_is_frozen(saved):
    loaded = load_semantic(str(saved))[1].train()
    assert not any(module.training for module in loaded.modules())
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_half_precision_halves_the_file(network, saved, tmp_path):
    small = tmp_path / "half.safetensors"
    save_semantic(small, SemanticInfo(), network, half=True)
    assert small.stat().st_size < 0.6 * saved.stat().st_size
    loaded = load_semantic(small)[1]
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    for one, other in zip(loaded.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-3)
        assert one.ndim > 1 or torch.equal(one, other)  # biases and statistics are spared


def test_an_unknown_score_is_stored_as_null(network, tmp_path):
    save_semantic(tmp_path / "x.safetensors", SemanticInfo(), network)
    text = read_container(tmp_path / "x.safetensors", with_tensors=False)[0]["depth_node_semantic"]
    assert json.loads(text)["miou"] is None
    assert math.isnan(load_semantic(tmp_path / "x.safetensors")[0].miou)


def test_a_depth_checkpoint_lends_its_semantic_network(network, tmp_path):
    record = {"format": 2, "semantic": dataclasses.replace(SemanticInfo(), config=SMALL, classes=FARM).record()}
    tensors = tensors_of("semantic.", network) | {"depth.weight": torch.zeros(1)}
    write_container(tmp_path / "depth.safetensors", "depth_node", json.dumps(record), tensors)
    assert fingerprint(load_semantic(tmp_path / "depth.safetensors")[1]) == fingerprint(network)


def test_bad_files_are_one_line(network, saved, tmp_path):
    plain, foreign, newer = (tmp_path / f"{name}.safetensors" for name in ("plain", "foreign", "newer"))
    write_container(plain, "depth_node", json.dumps({"format": 1, "semantic": None}), {"a": torch.zeros(1)})
    save_file({"a": torch.zeros(1)}, foreign)
    record = SemanticInfo(SMALL, FARM).record()
    write_container(newer, "depth_node_semantic", json.dumps(record | {"format": 99}), {"a": torch.zeros(1)})
    lines = {
        plain: "a depth checkpoint without a semantic network",
        foreign: "not written by depth_node",
        newer: "newer than 1: upgrade",
        tmp_path / "missing.safetensors": "does not exist",
        tmp_path: "is a folder",
    }
    broken = {
        "lacks": {key: value for key, value in record.items() if key != "classes"},
        "known are": record | {"config": record["config"] | {"encoders": "x"}},
        "unknown encoder 'resnet19'": record | {"config": record["config"] | {"encoder": "resnet19"}},
        "does not fit the network it names": record,
    }
    for number, (line, wrong) in enumerate(broken.items()):
        path = tmp_path / f"broken{number}.safetensors"
        write_container(path, "depth_node_semantic", json.dumps(wrong), {"semantic.a": torch.zeros(1)})
        lines[path] = line if "known are" not in line else "did you mean 'encoder'"
    for path, line in lines.items():
        with pytest.raises(CheckpointError) as caught:
            load_semantic(path)
        assert line in str(caught.value), path
        assert "\n" not in str(caught.value)


def test_a_summary_that_is_not_json_is_refused(network, tmp_path):
    with pytest.raises(CheckpointError, match="cannot be stored as JSON"):
        save_semantic(tmp_path / "x.safetensors", SemanticInfo(training={"a": object()}), network)
    assert not (tmp_path / "x.safetensors").exists()


@pytest.fixture
def published(tmp_path, monkeypatch):
    """A hub cache that holds a SegFormer of our own making under a published name; no way to the hub itself."""
    folder = tmp_path / "models--smp-hub--segformer-b0-768x768-city-160k"
    torch.manual_seed(5)
    model = smp.Segformer("mit_b0", encoder_weights=None, decoder_segmentation_channels=256, classes=19)
    model.save_pretrained(folder / "snapshots/abc")
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text("abc")
    monkeypatch.setattr(pretrained.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(pretrained.constants, "ENDPOINT", "http://localhost:9")
    return model.eval(), folder / "snapshots/abc"


def test_a_network_of_the_hub_gives_its_own_scores(published):
    info, loaded = load_semantic(HUB_NAME)
    image = torch.rand(1, 3, 64, 96)
    with torch.no_grad():
        expected = published[0]((image - loaded.mean) / loaded.std)
        scores = torch.nn.functional.interpolate(loaded(image).logits, (64, 96), mode="bilinear", align_corners=True)
    torch.testing.assert_close(scores, expected)
    assert (info.height, info.width, info.classes) == (768, 768, CITYSCAPES)
    assert info.training == {"source": HUB_NAME}
    assert loaded.frozen


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"classes": 150}, "150 classes, Cityscapes has 19"),
        ({"_model_class": "Unet"}, "it is a Unet"),
        ({"encoder_name": "mit_b1"}, "does not fit the network it names"),
    ],
)
def test_other_networks_of_the_hub_are_refused(published, change, line):
    path = published[1] / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CheckpointError, match=line):
        load_semantic(HUB_NAME)


def test_an_unreachable_hub_is_one_line_within_seconds(published):
    began = time.monotonic()
    with pytest.raises(CheckpointError) as caught:
        load_semantic("smp-hub/segformer-b5-1024x1024-city-160k")
    assert time.monotonic() - began < 5
    assert "cannot fetch smp-hub/segformer-b5-1024x1024-city-160k from the hub" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_of_that_name_goes_first(saved, monkeypatch):
    monkeypatch.chdir(saved.parent)
    (saved.parent / "smp-hub").mkdir()
    saved.rename(saved.parent / "smp-hub/mine")
    assert load_semantic("smp-hub/mine")[0].classes == FARM
