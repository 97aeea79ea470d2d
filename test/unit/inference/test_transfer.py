# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Results from the device: one copy, and every value as it was."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from depth_node.inference.tensor_prediction import join_bytes, split_bytes, to_host


@pytest.fixture
def tensors():
    torch.manual_seed(0)
    return {
        "labels": torch.randint(0, 255, (5, 7), dtype=torch.uint8),
        "depth": torch.rand(5, 7),
        "every other column": torch.rand(3, 8, dtype=torch.float64)[:, ::2],
        "empty": torch.rand(0, 4),
    }


def test_on_the_cpu_nothing_is_copied(tensors):
    arrays = to_host(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(arrays[name], tensor.numpy())
    tensors["depth"][0, 0] = 7.0
    assert arrays["depth"][0, 0] == 7.0


def test_joined_bytes_come_apart_again(tensors):
    joined = join_bytes(tensors)
    assert joined.shape == (sum(tensor.nbytes for tensor in tensors.values()),)
    arrays = split_bytes(joined.numpy(), tensors)
    assert set(arrays) == set(tensors)
    for name, tensor in tensors.items():
        assert arrays[name].flags.aligned
        assert arrays[name].dtype == tensor.numpy().dtype
        np.testing.assert_array_equal(arrays[name], tensor.numpy())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_from_a_gpu(tensors):
    arrays = to_host({name: tensor.cuda() for name, tensor in tensors.items()})
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(arrays[name], tensor.numpy())
