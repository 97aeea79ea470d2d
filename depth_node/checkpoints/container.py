# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Weights on disk: one safetensors file with one JSON description in its metadata. Nothing is ever unpickled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from depth_node.atomic_file import swapping
from depth_node.errors import CheckpointError, first_line

if TYPE_CHECKING:
    from torch import Tensor, nn

BLOCK = 1 << 20
"""Bytes read at a time to tell a file's content."""
HEADER_BYTES = 9
"""A safetensors file starts with eight bytes of header length and the brace of its JSON header."""


def write_container(path: Path, key: str, text: str, tensors: Mapping[str, Tensor]) -> None:
    """Write weights and their description: the whole file appears at once or not at all.

    Args:
        path: file to write, by convention *.safetensors; missing folders are made.
        key: name of the metadata entry, tells the kind of file.
        text: the description, JSON.
        tensors: weights by name, on any device.

    Raises:
        CheckpointError: the file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        with swapping(path) as temporary:
            save_file({n: t.detach().cpu().contiguous() for n, t in tensors.items()}, temporary, metadata={key: text})
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"cannot write checkpoint {path}: {first_line(error)}") from error


def read_container(path: Path, with_tensors: bool = True) -> tuple[dict[str, str], dict[str, Tensor]]:
    """Metadata entries and weights of a file.

    Args:
        path: a safetensors file.
        with_tensors: also read the weights; else the second part is empty.

    Raises:
        CheckpointError: the file is missing, damaged or of another kind.
    """
    from safetensors import SafetensorError, safe_open

    head, size = _peek(path)
    if not _looks_like_safetensors(head):
        raise CheckpointError(f"{path} is {_what(head)}, not a depth_node checkpoint (*.safetensors of `depth train`)")
    try:
        with safe_open(str(path), framework="pt" if with_tensors else "np") as file:
            metadata = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()} if with_tensors else {}  # noqa: SIM118
    except SafetensorError as error:
        reason = first_line(error)
        raise CheckpointError(f"{path} is damaged or cut off at {size} bytes, copy it again ({reason})") from error
    return metadata, tensors


def file_hash(path: Path) -> str:
    """SHA-256 of a file's content, read in parts; raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def tensors_of(prefix: str, network: nn.Module) -> dict[str, Tensor]:
    """All weights and statistics of a network, their names behind `prefix`."""
    return {prefix + name: tensor for name, tensor in network.state_dict().items()}


def halved(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Matrices and kernels in half precision; biases and statistics are small and may exceed its range."""
    return {n: t.half() if t.is_floating_point() and t.ndim > 1 else t for n, t in tensors.items()}


def fill(network: nn.Module, tensors: Mapping[str, Tensor], prefix: str, path: Path) -> None:
    """Load those tensors whose name starts with `prefix`; half precision is widened to the network's.

    Raises:
        CheckpointError: a tensor is missing, left over or of another shape; the line names it.
    """
    given = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    expected = network.state_dict()
    for name in sorted(expected.keys() | given.keys()):
        wanted = tuple(expected[name].shape) if name in expected else "none of this name"
        found = tuple(given[name].shape) if name in given else "missing"
        if wanted != found:
            raise CheckpointError(
                f"{path} does not fit the network it names: tensor {prefix}{name} is {found}, expected {wanted}"
            )
    network.load_state_dict(given)


def _peek(path: Path) -> tuple[bytes, int]:
    if not path.exists():
        raise CheckpointError(f"checkpoint {path} does not exist")
    if path.is_dir():
        raise CheckpointError(f"checkpoint {path} is a folder: name the *.safetensors file in it")
    if not path.is_file():
        raise CheckpointError(f"checkpoint {path} is not a regular file")
    try:
        with path.open("rb") as file:
            head = file.read(HEADER_BYTES)
    except OSError as error:
        raise CheckpointError(f"cannot read checkpoint {path}: {error.strerror}") from error
    size = path.stat().st_size
    if size == 0:
        raise CheckpointError(f"checkpoint {path} is empty")
    return head, size


def _looks_like_safetensors(head: bytes) -> bool:
    return len(head) == HEADER_BYTES and head[8:9] == b"{" and int.from_bytes(head[:8], "little") < 2**32


def _what(head: bytes) -> str:
    if head.startswith(b"PK") or head.startswith(b"\x80"):
        return "a pickled PyTorch file"
    if head.startswith(b"\x08"):  # ONNX' first field, its version
        return "an ONNX network, which the live node alone runs"
    try:
        head.decode("ascii")
    except UnicodeDecodeError:
        return "some other file"
    return "a text file"
