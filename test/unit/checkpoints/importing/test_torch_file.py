# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files of torch.save, new and old kind: read bit by bit; damaged and crafted ones give one clear line."""

from __future__ import annotations

import os
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch

from depth_node.checkpoints.importing.stored import StoredTensor
from depth_node.checkpoints.importing.torch_file import LEGACY_MAGIC, TorchFile, tensors_in
from depth_node.errors import CheckpointError

KINDS = pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])


def save(content, path, legacy, **options):
    torch.save(content, path, _use_new_zipfile_serialization=not legacy, **options)
    return path


def weights():
    torch.manual_seed(0)
    base = torch.randn(4, 6)
    return OrderedDict(
        float=torch.randn(3, 2, 5),
        double=torch.randn(7, dtype=torch.float64),
        half=torch.randn(5).half(),
        bfloat=torch.randn(5).bfloat16(),
        count=torch.tensor(1234),
        small=torch.arange(5, dtype=torch.uint8),
        flags=torch.tensor([True, False]),
        empty=torch.zeros(0, 3),
        row=base[1],
        corner=base[2:, 3:],
        turned=base.T,
        parameter=torch.nn.Parameter(torch.randn(2)),
    )


def read_all(path):
    with TorchFile(path) as file:
        return [file.load(stored) for stored in tensors_in(file.content)]


def refusal(path):
    """The one line with which a file is refused."""
    with pytest.raises(CheckpointError) as refused:
        read_all(path)
    text = str(refused.value)
    assert str(path) in text
    assert "\n" not in text
    return text


@KINDS
@pytest.mark.parametrize("protocol", [2, 4])
def test_tensors_are_those_that_were_saved(tmp_path, legacy, protocol):
    saved = weights()
    with TorchFile(save(saved, tmp_path / "a.pth", legacy, pickle_protocol=protocol)) as file:
        assert list(file.content) == list(saved)
        loaded = {name: file.load(stored) for name, stored in file.content.items()}
    for name, tensor in saved.items():
        assert loaded[name].dtype == tensor.dtype
        assert torch.equal(loaded[name], tensor), name


@KINDS
def test_nothing_is_read_before_it_is_asked_for(tmp_path, legacy):
    path = save({"a": torch.zeros(1_000_000), "b": torch.ones(2)}, tmp_path / "a.pth", legacy)
    with TorchFile(path) as file:
        assert isinstance(file.content["a"], StoredTensor)
        assert file.load(file.content["b"]).tolist() == [1, 1]
        assert len(file._loaded) == 1


@pytest.fixture
def node(monkeypatch):
    """A stand-in for yacs.config.CfgNode, pickled by the same name and with the same kind of state."""

    class CfgNode(dict):
        def __init__(self, **items):
            super().__init__(items)
            self.__dict__["__immutable__"] = False
            self.__dict__["__deprecated_keys__"] = {"old"}

    module = types.ModuleType("yacs.config")
    module.CfgNode = CfgNode
    CfgNode.__module__, CfgNode.__qualname__ = "yacs.config", "CfgNode"
    monkeypatch.setitem(sys.modules, "yacs", types.ModuleType("yacs"))
    monkeypatch.setitem(sys.modules, "yacs.config", module)
    return CfgNode


@KINDS
def test_a_configuration_becomes_a_dictionary(tmp_path, legacy, node):
    config = node(name="run", datasets=node(augmentation=node(image_shape=(192, 640), jittering=(0.2, 0.05)), path=[]))
    path = save({"config": config, "epoch": 3}, tmp_path / "a.ckpt", legacy)
    del sys.modules["yacs.config"]
    with TorchFile(path) as file:
        assert type(file.content["config"]["datasets"]) is dict
        assert file.content == {"config": config, "epoch": 3}
    assert "yacs.config" not in sys.modules


@KINDS
def test_cut_off_anywhere_it_is_one_line(tmp_path, legacy):
    data = save(weights(), tmp_path / "a.pth", legacy).read_bytes()
    for length in (*range(1, len(data), len(data) // 40), len(data) - 1):
        (tmp_path / "cut.pth").write_bytes(data[:length])
        refusal(tmp_path / "cut.pth")
    (tmp_path / "half.pth").write_bytes(data[: len(data) // 2])
    assert "damaged or cut off at" in refusal(tmp_path / "half.pth") or legacy


def test_a_changed_number_is_noticed_where_there_is_a_checksum(tmp_path):
    path = save({"a": torch.zeros(1000)}, tmp_path / "a.pth", legacy=False)
    data = bytearray(path.read_bytes())
    data[data.index(bytes(2000)) + 500] = 1
    path.write_bytes(data)
    assert "damaged" in refusal(path)


@KINDS
def test_changed_anywhere_it_is_read_or_one_line(tmp_path, legacy):
    random = np.random.default_rng(0)
    original = save({"a": torch.ones(3), "b": [1, {"c": torch.zeros(2, 2)}]}, tmp_path / "a.pth", legacy).read_bytes()
    path = tmp_path / "changed.pth"
    refused = 0
    for _ in range(150):
        data = bytearray(original)
        for position in random.integers(len(data), size=3):
            data[position] = random.integers(256)
        path.write_bytes(data)
        try:
            read_all(path)
        except CheckpointError:
            refused += 1
    assert refused > 15


@KINDS
@pytest.mark.parametrize("place", ["top", "config", "instead of weights"])
def test_a_malicious_file_runs_nothing(tmp_path, legacy, place):
    marker = tmp_path / "marker"

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {marker}",)

    content = {
        "top": Evil(),
        "config": {"config": {"datasets": [Evil()]}, "state_dict": weights()},
        "instead of weights": {"state_dict": {"weight": Evil()}},
    }[place]
    text = refusal(save(content, tmp_path / "evil.ckpt", legacy))
    assert "is refused, nothing in it was run: it refers to 'posix.system'" in text
    assert not marker.exists()


@pytest.mark.parametrize("part", range(5))
def test_every_pickle_of_the_old_kind_is_checked(tmp_path, part):
    marker = tmp_path / "marker"

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {marker}",)

    parts = [LEGACY_MAGIC, 1001, {"little_endian": True}, {"a": 1}, []]
    parts[part] = Evil()
    path = tmp_path / "evil.pth"
    path.write_bytes(b"".join(pickle.dumps(value, 2) for value in parts))
    assert "posix.system" in refusal(path)
    assert not marker.exists()


def test_another_pickle_is_told(tmp_path):
    (tmp_path / "list.pkl").write_bytes(pickle.dumps([1, 2], 2))
    assert "not one of torch.save" in refusal(tmp_path / "list.pkl")


def test_a_whole_pickled_network_is_refused(tmp_path):
    path = save(torch.nn.Linear(2, 2), tmp_path / "net.pth", legacy=False)
    assert "refers to 'torch.nn.modules.linear.Linear'" in refusal(path)


def repack(path, change=None, compression=zipfile.ZIP_STORED, **add):
    """Write a zip archive again, with records changed, left out (None) or added."""
    with zipfile.ZipFile(path) as archive:
        records = {name: archive.read(name) for name in archive.namelist()}
    records.update(change or {})
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in records.items():
            if data is not None:
                archive.writestr(name, data)
    return path


@pytest.fixture
def archive(tmp_path):
    return save({"a": torch.arange(4.0)}, tmp_path / "a.pth", legacy=False)


def test_a_repacked_archive_is_still_read(archive):
    with TorchFile(repack(archive)) as file:
        assert file.load(file.content["a"]).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"a/data/0": bytes(12)}, "storage 0 has 12 of 16 bytes"),
        ({"a/data/0": bytes(20)}, "record data/0 has 20 bytes"),
        ({"a/data/0": None}, "no item named"),
        ({"a/data.pkl": None}, "not one of torch.save: unpack it"),
        ({"b/data.pkl": b"\x80\x02N."}, "not one of torch.save"),
        ({"a/data.pkl": bytes(5_000_000)}, "record data.pkl has 5000000 bytes"),
        ({"a/byteorder": b"big"}, "big-endian"),
        ({"a/byteorder": b"little" + bytes(1000)}, "record byteorder has"),
    ],
)
def test_crafted_archives_are_one_line(archive, change, says):
    assert says in refusal(repack(archive, change))


def test_a_zip_bomb_does_not_go_off(archive):
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("a/data/1", bytes(50_000_000))
    assert archive.stat().st_size < 1_000_000
    assert "records larger than the file" in refusal(archive)


def test_compressed_records_are_refused(archive):
    assert "is compressed" in refusal(repack(archive, {"a/pad": os.urandom(1000)}, zipfile.ZIP_DEFLATED))


def test_paths_in_an_archive_lead_nowhere(archive, tmp_path):
    """Records are looked up by name and never unpacked."""
    secret = tmp_path / "secret"
    secret.write_bytes(struct.pack("<4f", 9, 9, 9, 9))
    before = set(tmp_path.iterdir())
    data = torch_pickle_with_key(archive, "../../secret")
    repack(archive, {"a/data.pkl": data, "../escaped": b"x", "/tmp/escaped": b"x"})
    assert "no item named" in refusal(archive)
    assert set(tmp_path.iterdir()) == before


def torch_pickle_with_key(path, key):
    with zipfile.ZipFile(path) as archive:
        old = archive.read("a/data.pkl")
    short = b"X\x01\x00\x00\x000"
    assert old.count(short) == 1
    return old.replace(short, b"X" + struct.pack("<I", len(key)) + key.encode())


@pytest.mark.parametrize("count", [-1, 3, 5, 2**62])
def test_old_storages_with_a_false_size_are_one_line(tmp_path, count):
    path = save({"a": torch.arange(4.0)}, tmp_path / "a.pth", legacy=True)
    data = path.read_bytes()
    assert data[-24:-16] == struct.pack("<q", 4)
    path.write_bytes(data[:-24] + struct.pack("<q", count) + data[-16:])
    assert "ends early" in refusal(path)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"hello, this is text", "is a text file"),
        (b"<!DOCTYPE html><html>", "is a web page (the download went wrong)"),
        (b"\x89PNG\r\n\x1a\n", "is some other file"),
        (b"PK\x03\x04", "is damaged or cut off at 4 bytes"),
        (b"\x80", "refused"),
    ],
)
def test_other_files_are_told_apart(tmp_path, data, says):
    path = tmp_path / "file.pth"
    path.write_bytes(data)
    assert says in refusal(path)


def test_missing_files_and_folders_are_told(tmp_path):
    assert "does not exist" in refusal(tmp_path / "none.pth")
    assert "is not a regular file" in refusal(tmp_path)


def test_a_file_is_closed_when_it_is_refused(tmp_path):
    path = tmp_path / "text.pth"
    path.write_text("text")
    opened = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(5):
        refusal(path)
    assert (len(os.listdir("/proc/self/fd")) if opened else 0) <= opened


def test_tensors_are_found_in_circles():
    tensor = object.__new__(StoredTensor)
    circle: list = [tensor]
    circle.append({"again": (circle, tensor)})
    assert tensors_in(circle) == [tensor, tensor]
