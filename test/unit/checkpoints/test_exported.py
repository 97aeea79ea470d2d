# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from depth_node.checkpoints.depth_info import METADATA_KEY, CheckpointInfo, to_json
from depth_node.checkpoints.description import describe
from depth_node.checkpoints.exported import is_exported, read_exported_info
from depth_node.config.network import NetworkConfig
from depth_node.errors import CheckpointError

INFO = CheckpointInfo(NetworkConfig(height=64, width=128), scale=7.5, scale_source="lidar", licence="CC-BY-NC")


@pytest.fixture
def write(tmp_path):
    """A function that writes an ONNX file with metadata by ONNX' own package."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")

    def write(**metadata):
        kinds = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, 64, 128])
        node = onnx.helper.make_node("Identity", ["image"], ["depth"])
        result = onnx.helper.make_tensor_value_info("depth", onnx.TensorProto.FLOAT, [1, 3, 64, 128])
        model = onnx.helper.make_model(onnx.helper.make_graph([node], "network", [kinds], [result]))
        onnx.helper.set_model_props(model, metadata)
        path = tmp_path / "network.onnx"
        onnx.save(model, path)
        return path

    return write


def test_the_description_is_that_of_the_checkpoint(write):
    path = write(**{"other": "é" * 300, METADATA_KEY: to_json(INFO), "last": ""})
    assert read_exported_info(path) == INFO
    assert is_exported(path)
    assert not is_exported(path.with_suffix(".safetensors"))


def test_it_can_be_inspected(write):
    facts = describe(write(**{METADATA_KEY: to_json(INFO)}))
    assert facts["metres"] == "7.5 per unit, from lidar"
    assert facts["licence"] == "CC-BY-NC"
    assert facts["networks"].startswith("one graph")


def test_another_program_s_network_is_said(write):
    with pytest.raises(CheckpointError, match="no depth_node description: only what `depth export` wrote"):
        read_exported_info(write(author="me"))


def test_damage_is_said(write, tmp_path):
    path = write(**{METADATA_KEY: to_json(INFO)})
    whole = path.read_bytes()
    for data in (whole[:-20], whole[: len(whole) // 2], b"\x7f" * 40, b"\xff" * 40):
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match=r"is no ONNX file, or it is damaged|no depth_node description"):
            read_exported_info(path)
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="it is empty"):
        read_exported_info(path)
    with pytest.raises(CheckpointError, match="does not exist"):
        read_exported_info(tmp_path / "none.onnx")
