# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""From the device to the host in one copy, however many results there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_host(tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    """Arrays with the values of tensors that lie on one device.

    Each copy from a GPU waits for all of its work: here the bytes of all tensors are joined there and travel together,
    into page-locked memory. On the CPU nothing is copied, and the arrays share the tensors' memory.

    Args:
        tensors: of any shapes and types, by name.
    """
    if all(tensor.device.type == "cpu" for tensor in tensors.values()):
        return {name: tensor.numpy() for name, tensor in tensors.items()}
    joined = join_bytes(tensors)
    host = torch.empty(joined.shape, dtype=torch.uint8, pin_memory=True)
    return split_bytes(host.copy_(joined).numpy(), tensors)


def join_bytes(tensors: Mapping[str, Tensor]) -> Tensor:
    """(n,) uint8, the bytes of all tensors in the order of `_aligned`."""
    return torch.cat([tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in _aligned(tensors).values()])


def split_bytes(joined: NDArray[np.uint8], tensors: Mapping[str, Tensor]) -> dict[str, NDArray[Any]]:
    """Arrays that share the memory of what `join_bytes` made of `tensors`."""
    arrays, start = {}, 0
    for name, tensor in _aligned(tensors).items():
        stop = start + tensor.nbytes
        kind = torch.empty(0, dtype=tensor.dtype).numpy().dtype
        arrays[name], start = joined[start:stop].view(kind).reshape(tensor.shape), stop
    return arrays


def _aligned(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The widest types first: then each begins at a multiple of its own width."""
    return dict(sorted(tensors.items(), key=lambda item: -item[1].element_size()))
