# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which back end a checkpoint gets, what is said of it, and what is remembered."""

from __future__ import annotations

import pytest

from depth_node.errors import CheckpointError, ConfigError
from depth_node.inference.backends import choice, torch_backend
from depth_node.inference.backends.choice import open_backend
from depth_node.inference.backends.probation import PICTURES, OnProbation
from depth_node.inference.backends.trial_pictures import trial_pictures


@pytest.fixture
def said():
    return []


@pytest.fixture
def unbuildable(monkeypatch):
    """A function after which no network of PyTorch can be built."""

    def forbid():
        monkeypatch.setattr(torch_backend, "load_checkpoint", lambda *_, **__: pytest.fail("a module was built"))

    return forbid


def show_pictures(backend, count=PICTURES):
    for number in range(count):
        backend.run(trial_pictures(64, 128)[number % 3], 1, True)


def test_made_once_then_read_and_no_module_built(small_checkpoint, runtimes, runtime, said, unbuildable):
    (made,) = runtimes(runtime("openvino"))
    backend = open_backend(small_checkpoint, "openvino", "cpu", say=said.append)
    assert isinstance(backend, OnProbation)
    assert said == ["making the network for openvino fp32, once: this can take a minute"]
    show_pictures(backend)
    assert "it is trusted from now on" in said[1]
    unbuildable()
    again = open_backend(small_checkpoint, "openvino", "cpu", say=said.append)
    assert str(again) == "openvino fp32"
    assert made.made == ["fp32"]
    assert len(said) == 2


def test_one_that_never_saw_a_picture_stays_on_probation(small_checkpoint, runtimes, runtime, said):
    (made,) = runtimes(runtime("openvino"))
    for _ in range(2):
        assert isinstance(open_backend(small_checkpoint, "openvino", "cpu", say=said.append), OnProbation)
    assert made.made == ["fp32"]


def test_bf16_only_where_depth_stays(small_checkpoint, runtimes, runtime, said):
    (made,) = runtimes(runtime("openvino", factors={"bf16": 1.1, "fp32": 1.0}))
    assert str(open_backend(small_checkpoint, "openvino", "cpu", say=said.append)) == "openvino fp32"
    assert made.made == ["bf16", "fp32"]
    assert str(open_backend(small_checkpoint, "openvino", "cpu", say=said.append)) == "openvino fp32"
    assert made.made == ["bf16", "fp32"]
    # Who asks for it gets it.
    assert str(open_backend(small_checkpoint, "openvino", "cpu", "bf16", said.append)) == "openvino bf16"


def test_the_good_bf16_is_taken(small_checkpoint, runtimes, runtime, said):
    runtimes(runtime("openvino", factors={"bf16": 1.001, "fp32": 1.0}))
    assert str(open_backend(small_checkpoint, "openvino", "cpu", say=said.append)) == "openvino bf16"


@pytest.mark.parametrize(
    ("missing", "factors", "reason"),
    [
        (["openvino"], {"fp32": 1.0}, "pip install openvino"),
        ([], {"fp32": 1.2}, "from PyTorch's on drawn pictures"),
        ([], {"fp32": None}, "openvino fp32 failed: no such instruction"),
    ],
    ids=["missing", "drifts", "fails"],
)
def test_what_cannot_be_had_is_torch_with_one_line(small_checkpoint, runtimes, runtime, said, missing, factors, reason):
    runtimes(runtime("openvino", missing, factors))
    assert str(open_backend(small_checkpoint, "openvino", "cpu", say=said.append)) == "torch fp32"
    assert reason in said[-1]
    assert said[-1].startswith("backend openvino cannot be had, torch runs the network: ")
    assert "\n" not in said[-1]


def test_a_damaged_file_is_made_again(small_checkpoint, runtimes, runtime, said, tmp_path):
    (made,) = runtimes(runtime("openvino"))
    open_backend(small_checkpoint, "openvino", "cpu", say=said.append)
    (file,) = (tmp_path / "cache/networks").glob("*.model")
    file.write_bytes(file.read_bytes()[:-3])
    assert str(open_backend(small_checkpoint, "openvino", "cpu", say=said.append)) == "openvino fp32"
    assert "the network kept for openvino fp32 is damaged, it is made again" in said
    assert made.made == ["fp32", "fp32"]


def test_auto_races_once_and_remembers(small_checkpoint, runtimes, runtime, said, monkeypatch):
    runtimes(runtime("openvino"), runtime("onnxruntime"))
    speeds = {"torch fp32": [0.4], "openvino fp32": [0.1], "onnxruntime fp32": [0.2]}
    races = []
    monkeypatch.setattr(choice, "race", lambda calls, rounds: races.append(sorted(calls)) or speeds)
    for _ in range(2):
        assert str(open_backend(small_checkpoint, "auto", "cpu", say=said.append)) == "openvino fp32"
        assert said[-1].startswith("backend openvino fp32: 4.0 times as fast as torch fp32 (torch fp32 1.0, onnx")
    assert races == [sorted(speeds)]


def test_auto_races_again_when_the_fastest_has_drifted(small_checkpoint, runtimes, runtime, said, monkeypatch):
    runtimes(runtime("openvino"), runtime("onnxruntime"))
    speeds = {"torch fp32": [0.4], "openvino fp32": [0.1], "onnxruntime fp32": [0.2]}
    monkeypatch.setattr(choice, "race", lambda calls, rounds: {name: speeds[name] for name in calls})
    backend = open_backend(small_checkpoint, "auto", "cpu", say=said.append)
    backend._conclude(choice.Drift(0.02))
    assert "torch runs the network from now on" in said[-1]
    assert str(open_backend(small_checkpoint, "auto", "cpu", say=said.append)) == "onnxruntime fp32"


def test_auto_may_find_torch_the_fastest(small_checkpoint, runtimes, runtime, said, monkeypatch):
    runtimes(runtime("openvino"))
    monkeypatch.setattr(choice, "race", lambda *_: {"torch fp32": [0.1], "openvino fp32": [0.2]})
    for _ in range(2):
        assert str(open_backend(small_checkpoint, "auto", "cpu", say=said.append)) == "torch fp32"


def test_auto_alone_with_torch_says_what_would_help(small_checkpoint, runtimes, runtime, said):
    runtimes(runtime("openvino", ["openvino"]))
    assert str(open_backend(small_checkpoint, "auto", "cpu", say=said.append)) == "torch fp32"
    assert said == ["backend torch, the only one here: pip install openvino makes the network faster on a CPU"]


def test_arithmetics_that_a_runtime_has_not(small_checkpoint, runtimes, runtime, said):
    runtimes(runtime("onnxruntime"))
    assert str(open_backend(small_checkpoint, "onnxruntime", "cpu", "bf16", said.append)) == "torch bf16"
    assert "onnxruntime does not compute in bf16 here, only in fp32" in said[-1]
    assert str(open_backend(small_checkpoint, "auto", "cpu", "bf16", said.append)) == "torch bf16"


def test_wrong_names(small_checkpoint, tmp_path):
    with pytest.raises(ConfigError, match="backend 'tensorrt' is unknown: use auto, torch, openvino, onnxruntime"):
        open_backend(small_checkpoint, "tensorrt")
    with pytest.raises(ConfigError, match="'int8' is unknown"):
        open_backend(small_checkpoint, "torch", precision="int8")
    with pytest.raises(CheckpointError, match="does not exist"):
        open_backend(tmp_path / "none.safetensors", "auto")
