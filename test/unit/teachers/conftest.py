# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Teachers small enough to be made here: an ONNX file of one convolution, a model of the hub of random weights."""

from __future__ import annotations

import numpy as np
import pytest

from depth_node.image_file import write_image
from depth_node.kitti.calibration import write_calibration


@pytest.fixture
def onnx_teacher(tmp_path):
    """Write an ONNX file whose depth is 10 + 2 times the red channel, and whose sky is the blue one."""
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    from onnx import TensorProto, helper, numpy_helper

    def write(name="teacher.onnx", shape=(1, 3, 28, 56), licence="Apache-2.0", sky=True):
        weights = {
            "red": np.array([2.0, 0, 0], np.float32).reshape(1, 3, 1, 1),
            "ten": np.array([10.0], np.float32),
            "blue": np.array([0, 0, 1.0], np.float32).reshape(1, 3, 1, 1),
        }
        nodes = [
            helper.make_node("Conv", ["image", "red", "ten"], ["predicted_depth"], kernel_shape=[1, 1]),
            helper.make_node("Conv", ["image", "blue"], ["sky"], kernel_shape=[1, 1]),
        ]
        out = [shape[0], 1, *shape[2:]]
        names = ["predicted_depth", *(["sky"] if sky else [])]
        graph = helper.make_graph(
            nodes[: len(names)],
            "teacher",
            [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(each, TensorProto.FLOAT, out) for each in names],
            [numpy_helper.from_array(array, key) for key, array in weights.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        if licence:
            helper.set_model_props(model, {"license": licence})
        path = tmp_path / name
        onnx.save(model, path)
        return path

    return write


@pytest.fixture(scope="session")
def hub_folder(tmp_path_factory):
    """Save a Depth Anything of 22 thousand random weights in the hub's layout."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    import torch

    torch.manual_seed(0)
    backbone = transformers.Dinov2Config(
        image_size=70, patch_size=14, hidden_size=8, num_hidden_layers=4, num_attention_heads=2,
        out_indices=[1, 2, 3, 4], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone, patch_size=14, reassemble_hidden_size=8, neck_hidden_sizes=[4, 8, 8, 8],
        fusion_hidden_size=8, head_hidden_size=4, depth_estimation_type="relative",
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("hub") / "tiny"
    transformers.DepthAnythingForDepthEstimation(config).save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# tiny\n")
    return folder


@pytest.fixture
def drives(tmp_path):
    """Twelve pictures of noise that moves, as a drive with a calibration."""
    folder = tmp_path / "data"
    drive = folder / "2026_01_01" / "2026_01_01_drive_0001_sync"
    noise = np.random.default_rng(0).integers(0, 256, (72, 140, 3), dtype=np.uint8)
    for index in range(12):
        write_image(drive / "image_02" / "data" / f"{index:010}.png", noise[:64, index : index + 128])
    K = np.array([[100.0, 0, 64], [0, 100, 32], [0, 0, 1]])
    write_calibration(drive.parent, K, 128, 64, stamp_ns=0)
    return folder
