# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Group normalisation in onnxruntime: as exact as in PyTorch, on large pictures too."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from depth_node.inference.backends.onnx_group_norm import translations


def run(norm, features):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    pytest.importorskip("onnxscript", reason="onnxscript is not installed")
    exported = torch.onnx.export(
        norm, (features,), dynamo=True, opset_version=18, verbose=False, custom_translation_table=translations()
    )
    session = onnxruntime.InferenceSession(exported.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {session.get_inputs()[0].name: features.numpy()})[0])


def test_a_large_group_keeps_its_digits():
    features = 10 + torch.randn(1, 4, 192, 640, generator=torch.Generator().manual_seed(0))
    exact = F.group_norm(features.double(), 1)
    # ONNX' own operator is 5e-5 off.
    torch.testing.assert_close(run(nn.GroupNorm(1, 4).eval(), features).double(), exact, rtol=0, atol=1e-5)


@pytest.mark.parametrize("affine", [True, False])
def test_groups_scale_and_offset(affine):
    norm = nn.GroupNorm(3, 6, eps=0.1, affine=affine).eval()
    if affine:
        nn.init.uniform_(norm.weight)
        nn.init.uniform_(norm.bias)
    features = torch.randn(2, 6, 5, 7, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(run(norm, features), norm(features).detach(), rtol=1e-5, atol=1e-6)
