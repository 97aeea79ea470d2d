# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""A state dict of another project: its tensors by name, taken over one by one under our names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from depth_node.checkpoints.importing.stored import StoredTensor
from depth_node.checkpoints.importing.torch_file import TorchFile
from depth_node.errors import CheckpointError

PARALLEL = "module."
"""What nn.DataParallel puts in front of every name."""


class State:
    """Tensors by name, still in their file.

    Attributes:
        file: the open file.
        tensors: description of each tensor.
    """

    def __init__(self, file: TorchFile, entries: Mapping[Any, Any]):
        """Take the tensors among the entries of a dictionary; the rest of it is left out."""
        self.file = file
        self.tensors = {str(name): value for name, value in entries.items() if isinstance(value, StoredTensor)}
        if self.tensors and all(name.startswith(PARALLEL) for name in self.tensors):
            self.tensors = {name.removeprefix(PARALLEL): value for name, value in self.tensors.items()}

    @classmethod
    def of(cls, file: TorchFile) -> State:
        """The state dict that a whole file is.

        Raises:
            CheckpointError: the file holds no state dict.
        """
        state = cls(file, file.content if isinstance(file.content, dict) else {})
        if not state.tensors:
            raise CheckpointError(f"{file.path} holds no weights by name (a state dict)")
        return state

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of a tensor, empty where there is none of this name."""
        return self.tensors[name].shape if name in self.tensors else ()

    def has(self, start: str) -> bool:
        """Whether any name starts like this."""
        return any(name.startswith(start) for name in self.tensors)

    def part(self, rename: Callable[[str], str | None]) -> State:
        """The tensors for which `rename` gives a new name instead of None."""
        renamed = {rename(name): value for name, value in self.tensors.items()}
        return State(self.file, {name: value for name, value in renamed.items() if name is not None})

    def same(self, first: str, second: str) -> bool:
        """Whether two tensors hold the same numbers; reads them only where they lie in different places."""
        a, b = self.tensors[first], self.tensors[second]
        return a == b or torch.equal(self.file.load(a), self.file.load(b))


def take(network: nn.Module, prefix: str, names: Mapping[str, str], state: State, unused: Iterable[str] = ()) -> None:
    """Load a part of a network from a foreign state.

    Args:
        network: network to fill, in place.
        prefix: which of its tensors, '' for all.
        names: our name behind `prefix` to theirs.
        state: their tensors.
        unused: starts of the names that theirs may have beyond those.

    Raises:
        CheckpointError: a tensor is missing, of another shape or left over; the line names it.
    """
    path = state.file.path
    own = {
        name.removeprefix(prefix): tensor for name, tensor in network.state_dict().items() if name.startswith(prefix)
    }
    known = set(names.values())
    left = [name for name in state.tensors if name not in known and not name.startswith(tuple(unused))]
    if left:
        raise CheckpointError(f"{path} is not the expected network: it has '{left[0]}' {state.shape(left[0])} as well")
    for name, target in own.items():
        if names[name] in state.tensors:
            target.copy_(_fitting(state, names[name], target))
        elif not name.endswith("num_batches_tracked"):  # older versions of PyTorch did not count
            raise CheckpointError(f"{path} is not the expected network: it lacks '{names[name]}'")


def _fitting(state: State, name: str, target: Tensor) -> Tensor:
    found, wanted = state.shape(name), tuple(target.shape)
    # Fully connected layers have become 1x1 convolutions.
    if wanted not in (found, (*found, 1, 1)):
        raise CheckpointError(
            f"{state.file.path} is not the expected network: '{name}' has shape {found}, expected {wanted}"
        )
    return state.file.load(state.tensors[name]).reshape(wanted)
