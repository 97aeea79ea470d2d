# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""One checkpoint in one back end or another: compiled networks are made once, tried, kept and read again."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from depth_node.checkpoints.depth_info import read_info, warn_if_restricted
from depth_node.config.backend import TORCH
from depth_node.errors import first_line
from depth_node.inference.backends import onnxruntime_backend, openvino_backend
from depth_node.inference.backends.drift import Drift, drift_between
from depth_node.inference.backends.interface import Backend
from depth_node.inference.backends.model_store import ModelStore

if TYPE_CHECKING:
    from torch import Tensor

    from depth_node.inference.backends.torch_backend import TorchBackend

KINDS: dict[str, ModuleType] = {module.NAME: module for module in (openvino_backend, onnxruntime_backend)}
"""Runtimes that compile a network, best first, each a module with the same five functions."""
Say = Callable[[str], object]


class UnfitError(Exception):
    """A back end cannot be had; one line says why."""


class Opener:
    """Opens one checkpoint in one back end or another.

    Attributes:
        info: the checkpoint's description, with the input size in use.
        precision: arithmetic that is asked for.
        say: is told what could not be had.
        is_strict: whether only what agrees with PyTorch in float32 is taken.
    """

    def __init__(
        self,
        checkpoint: Path,
        device: str,
        precision: str,
        say: Say,
        is_strict: bool = True,
        size: tuple[int, int] = (0, 0),
    ) -> None:
        """Read the checkpoint's description.

        Args:
            checkpoint: the file.
            device: as `open_backend` takes it.
            precision: as `open_backend` takes it.
            say: is told what could not be had.
            is_strict: take only what agrees with PyTorch in float32.
            size: height and width of the input, pixels; 0 takes the checkpoint's.

        Raises:
            CheckpointError: the checkpoint cannot be read.
            ConfigError: the size is none of the network's.
        """
        self._path, self._device, self.precision, self.say = checkpoint, device, precision, say
        info = read_info(checkpoint)
        warn_if_restricted(checkpoint, info)
        network = dataclasses.replace(
            info.network, height=size[0] or info.network.height, width=size[1] or info.network.width
        )
        self.info = dataclasses.replace(info, network=network)
        self.is_strict = is_strict
        self._forms: dict[str, Any] = {}

    def torch(self) -> TorchBackend:
        """PyTorch, as asked for."""
        return self._torch(self._device, self.precision)

    @cached_property
    def exact(self) -> TorchBackend:
        """PyTorch in float32 on the CPU, which all others are made from and held to."""
        return self._torch("cpu", "fp32")

    @cached_property
    def store(self) -> ModelStore:
        """Where its compiled networks are kept."""
        return ModelStore(self._path, self.info.network)

    def precisions(self, name: str) -> list[str]:
        """Arithmetics of a runtime to try, quickest first; raises UnfitError."""
        kind = KINDS[name]
        if missing := kind.missing():
            raise UnfitError(f"pip install {' '.join(missing)}")
        able: list[str] = kind.precisions()
        if self.precision == "auto":
            return able
        if self.precision not in able:
            raise UnfitError(f"{name} does not compute in {self.precision} here, only in {' and '.join(able)}")
        return [self.precision]

    def titles(self, name: str) -> list[str]:
        """A runtime with each of its arithmetics that are asked for, such as 'openvino fp32'; may be none."""
        try:
            return [f"{name} {precision}" for precision in self.precisions(name)]
        except UnfitError:
            return []

    def ready(self, name: str, precision: str) -> Backend:
        """A compiled network, read or made; raises UnfitError."""
        title = f"{name} {precision}"
        note = self.store.note(title)
        if self.is_strict and "refused" in note:
            raise UnfitError(f"{title} was tried before, {note['refused']}")
        data = self.store.read(title)
        if data is None and self.store.has(title):
            self.say(f"the network kept for {title} is damaged, it is made again")
        try:
            compiled = data or self._made(name, precision)
            backend: Backend = KINDS[name].load(compiled, self.info, precision)
            if self.is_strict and not note:
                self._try(backend)
        except UnfitError:
            raise
        except Exception as error:  # whatever a runtime comes across
            raise UnfitError(f"{title} failed: {first_line(error)}") from error
        if data is None and (problem := self.store.write(title, compiled)):
            self.say(f"the network for {title} is made anew with every start: {problem}")
        return backend

    def entrant(self, title: str) -> Backend:
        """A back end by name and arithmetic, PyTorch's too, for a comparison; raises UnfitError."""
        name, _, precision = title.rpartition(" ")
        if name in KINDS:
            return self.ready(name, precision)
        return self._torch("cpu", precision, compiled=name != TORCH)

    def drift(self, backend: Backend, pictures: Sequence[Tensor] = ()) -> Drift:
        """How far a back end is from PyTorch on pictures (1, 3, H, W), drawn ones where none are given."""
        from depth_node.inference.backends.trial_pictures import trial_pictures

        network, worst = self.info.network, Drift()
        for picture in pictures or trial_pictures(network.height, network.width):
            exact = self.exact.run(picture, 1, True)
            worst = worst.worst(drift_between(backend.run(picture, 1, True), exact, network))
        return worst

    @cached_property
    def _traced(self) -> tuple[Any, Sequence[str]]:
        from depth_node.inference.backends.graph import trace_live

        return trace_live(self.exact.model)

    def _converted(self, name: str) -> Any:
        """The network in a runtime's own form, which serves all arithmetics."""
        if name not in self._forms:
            self._forms[name] = KINDS[name].convert(*self._traced)
        return self._forms[name]

    def _torch(self, device: str, precision: str, compiled: bool = False) -> TorchBackend:
        from depth_node.inference.backends.torch_backend import load_torch_backend

        return load_torch_backend(self._path, self.info, device, precision, compiled)

    def _made(self, name: str, precision: str) -> bytes:
        title = f"{name} {precision}"
        self.say(f"making the network for {title}, once: this can take a minute")
        data: bytes = KINDS[name].make(self._converted(name), precision)
        return data

    def _try(self, backend: Backend) -> None:
        """Hold a back end to PyTorch on drawn pictures, and note how it did; raises UnfitError where it drifts."""
        drift = self.drift(backend)
        self.store.write_note(str(backend), **{"tried" if drift.passes else "refused": str(drift)})
        if not drift.passes:
            raise UnfitError(f"{backend} puts {drift} on drawn pictures")
