# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Tensors that are still in their file, and the few names by which a PyTorch pickle describes them.

Each name stands for one of our own functions here; none is ever looked up or imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

MAX_DIMENSIONS = 8
MAX_COUNT = 2**62
DTYPES = {
    "torch.FloatStorage": torch.float32,
    "torch.DoubleStorage": torch.float64,
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.LongStorage": torch.int64,
    "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16,
    "torch.CharStorage": torch.int8,
    "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool,
}
"""Kinds of storage by the name that PyTorch pickles."""


@dataclass(frozen=True)
class Storage:
    """Where the numbers of a tensor lie: `size` of them under `key`, in the same file."""

    key: str
    size: int
    dtype: torch.dtype


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that is still in its file; offset and strides count numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def storage_of(words: Any, dtype: torch.dtype) -> Storage:
    """The storage that a pickle's reference describes.

    Args:
        words: kind, class, key, device, number of values and, in older files, the part of it that is meant.
        dtype: what the class stands for.

    Raises:
        ValueError: it is malformed, or means a part, which nobody writes.
    """
    if not 5 <= len(words) <= 6 or words[0] != "storage" or words[5:] not in ((), (None,)):
        raise ValueError("an unknown kind of storage")
    key, size = words[2], words[4]
    if type(key) is not str or not _is_count(size):
        raise ValueError("a storage without key or size")
    return Storage(key, size, dtype)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < MAX_COUNT


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> StoredTensor:
    if not isinstance(storage, Storage) or len(shape) != len(strides) or len(shape) > MAX_DIMENSIONS:
        raise ValueError("a malformed tensor")
    if not all(_is_count(number) for number in (offset, *shape, *strides)):
        raise ValueError("a tensor with a size that is no count")
    count = 1
    for size in shape:
        count *= size
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if count and (count > storage.size or last >= storage.size):
        raise ValueError("a tensor that reaches beyond its storage")
    return StoredTensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(tensor: Any, *_: Any) -> StoredTensor:
    if not isinstance(tensor, StoredTensor):
        raise ValueError("a parameter without tensor")
    return tensor


def _empty(*arguments: Any) -> dict[str, Any]:
    if arguments:
        raise ValueError("a dictionary that is not built item by item")
    return {}


def _same(value: Any = ()) -> Any:
    if not isinstance(value, (tuple, list)):
        raise ValueError("a list or tuple was expected")
    return value


CALLS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _empty,
    # The configuration of PackNet-SfM: a dictionary with a lock.
    "yacs.config.CfgNode": _empty,
    "torch.Size": _same,
    "builtins.set": _same,
    "__builtin__.set": _same,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_parameter": _parameter,
}
"""What a pickle may call, and what stands for it. None of them copies, so a small file cannot become large."""
