# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Kept networks: found by content, size and versions; damaged ones are none."""

from __future__ import annotations

import dataclasses

import pytest

from depth_node.config.network import NetworkConfig
from depth_node.inference.backends import model_store
from depth_node.inference.backends.model_store import ModelStore

NETWORK = NetworkConfig(height=64, width=128)


@pytest.fixture
def checkpoint(monkeypatch, tmp_path):
    monkeypatch.setenv("DEPTH_NODE_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "mine.safetensors"
    path.write_bytes(b"weights")
    return path


def test_what_is_written_is_read(checkpoint):
    store = ModelStore(checkpoint, NETWORK)
    assert store.read("openvino fp32") is None
    assert not store.has("openvino fp32")
    assert store.write("openvino fp32", b"compiled") == ""
    assert ModelStore(checkpoint, NETWORK).read("openvino fp32") == b"compiled"
    assert store.read("openvino bf16") is None


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:-1] + b"?", lambda data: b""])
def test_a_damaged_one_is_none(checkpoint, damage):
    store = ModelStore(checkpoint, NETWORK)
    store.write("openvino fp32", b"compiled")
    (file,) = store.folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert store.read("openvino fp32") is None
    assert store.has("openvino fp32")


def test_another_content_size_or_version_is_another_place(checkpoint, monkeypatch):
    stems = {ModelStore(checkpoint, NETWORK).stem, ModelStore(checkpoint, dataclasses.replace(NETWORK, width=96)).stem}
    with monkeypatch.context() as patch:
        patch.setattr(model_store, "version_of", lambda name: "0.1" if name == "openvino" else "1.0")
        stems.add(ModelStore(checkpoint, NETWORK).stem)
    checkpoint.write_bytes(b"other weights")
    stems.add(ModelStore(checkpoint, NETWORK).stem)
    assert len(stems) == 4
    assert all(stem.startswith("mine_") for stem in stems)


def test_a_checkpoint_is_known_by_its_content_under_any_name(checkpoint):
    copy = checkpoint.with_name("copy.safetensors")
    copy.write_bytes(checkpoint.read_bytes())
    stems = [ModelStore(path, NETWORK).stem.rpartition("_")[2] for path in (checkpoint, copy)]
    assert stems[0] == stems[1]


def test_notes(checkpoint):
    store = ModelStore(checkpoint, NETWORK)
    assert store.note("choice") == {}
    store.write_note("choice", backend="openvino")
    store.write_note("openvino fp32", passed="well")
    assert store.note("choice") == {"backend": "openvino"}
    for junk in ("{", "[]", '{"choice": 3}'):
        (store.folder / f"{store.stem}.json").write_text(junk)
        assert store.note("choice") == {}


def test_a_folder_that_cannot_be_written_to_costs_nothing_but_time(checkpoint, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DEPTH_NODE_CACHE", str(tmp_path / "file"))
    store = ModelStore(checkpoint, NETWORK)
    assert "cannot write" in store.write("openvino fp32", b"compiled")
    store.write_note("choice", backend="openvino")
    assert store.read("openvino fp32") is None
    assert store.notes() == {}
