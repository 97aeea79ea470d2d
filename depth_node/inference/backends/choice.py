# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which back end runs a checkpoint: the one that is asked for, or the fastest that agrees with PyTorch.

Compiled networks are kept and read again (`model_store`): with all in place, no module of PyTorch is built at all. What
cannot be had is replaced by PyTorch, with one line that says why.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import TYPE_CHECKING, Any

from depth_node.checkpoints.depth_info import read_info
from depth_node.checkpoints.shipped import located
from depth_node.config.backend import AUTO, BACKENDS, TORCH
from depth_node.errors import ConfigError, first_line
from depth_node.inference.backends import onnxruntime_backend, openvino_backend
from depth_node.inference.backends.backend import Backend
from depth_node.inference.backends.drift import Drift, drift_between
from depth_node.inference.backends.model_store import ModelStore
from depth_node.inference.backends.probation import OnProbation
from depth_node.inference.backends.race import race
from depth_node.inference.backends.trial_pictures import trial_pictures
from depth_node.inference.device import choose_device, choose_precision

if TYPE_CHECKING:
    from depth_node.inference.backends.torch_backend import TorchBackend

KINDS: dict[str, ModuleType] = {module.NAME: module for module in (openvino_backend, onnxruntime_backend)}
"""Runtimes that compile a network, best first. Each module has NAME, `missing`, `precisions`, `make` and `load`."""
ROUNDS = 5
Say = Callable[[str], None]


class UnfitError(Exception):
    """A back end cannot be had; one line says why."""


def open_backend(
    checkpoint: str | Path, name: str = AUTO, device: str = "auto", precision: str = "auto", say: Say = print
) -> Backend:
    """Open a checkpoint in a back end.

    Args:
        checkpoint: the file, or the name of a shipped one.
        name: one of `config.backend.BACKENDS`.
        device: 'auto', 'cpu', 'cuda' or 'cuda:N'; compiled networks are for the CPU.
        precision: 'auto', 'fp32', 'bf16' or 'fp16'; auto lets a runtime compute in bf16 where depth stays within
            `drift.DEPTH_BOUND`.
        say: is told what was chosen, and what could not be had.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ConfigError: the name is unknown, device or precision are not to be had.
    """
    if name not in BACKENDS:
        raise ConfigError(f"backend '{name}' is unknown: use {', '.join(BACKENDS)}")
    where = choose_device(device)
    choose_precision(precision, where)
    opener = Opener(located(checkpoint), device, precision, say)
    if where.type != "cpu" and (name == AUTO or device != "auto"):
        if name not in (AUTO, TORCH):
            say(f"backend {name} runs on the CPU only, not on {where}: torch runs the network")
        return opener.torch()
    if name == TORCH:
        return opener.torch()
    return opener.fastest() if name == AUTO else opener.compiled(name)


class Opener:
    """Opens one checkpoint in one back end or another."""

    def __init__(self, checkpoint: Path, device: str, precision: str, say: Say) -> None:
        """Read the checkpoint's description; raises CheckpointError."""
        self._path, self._device, self._precision, self._say = checkpoint, device, precision, say
        self.info = read_info(checkpoint)

    def torch(self) -> TorchBackend:
        """PyTorch, as asked for."""
        from depth_node.inference.backends.torch_backend import load_torch_backend

        return load_torch_backend(self._path, self._device, self._precision)

    @cached_property
    def exact(self) -> TorchBackend:
        """PyTorch in float32 on the CPU, which all others are made from and held to."""
        from depth_node.inference.backends.torch_backend import load_torch_backend

        return load_torch_backend(self._path, "cpu", "fp32")

    @cached_property
    def store(self) -> ModelStore:
        """Where its compiled networks are kept."""
        return ModelStore(self._path, self.info.network)

    def compiled(self, name: str) -> Backend:
        """One runtime in its quickest arithmetic that passes, or PyTorch."""
        reasons = []
        try:
            for precision in self.precisions(name):
                try:
                    backend = self.ready(name, precision)
                except UnfitError as error:
                    reasons.append(str(error))
                else:
                    return self._on_probation(backend)
        except UnfitError as error:
            reasons.append(str(error))
        self._say(f"backend {name} cannot be had, torch runs the network: {'; '.join(reasons)}")
        return self.torch()

    def fastest(self) -> Backend:
        """The back end that was measured to be the fastest; measures where nobody has yet."""
        candidates = [name for name, kind in KINDS.items() if not kind.missing()]
        if not candidates:
            self._say("backend torch, the only one here: pip install openvino makes the network faster on a CPU")
            return self.torch()
        note = f"choice {self._precision}"
        chosen = self.store.note(note) or self._measured(candidates, note)
        try:
            name, precision, why = (str(chosen[part]) for part in ("backend", "precision", "why"))
            backend = self.torch() if name == TORCH else self._on_probation(self.ready(name, precision))
        except (KeyError, UnfitError) as error:
            self._say(f"backend torch: what was measured to be the fastest cannot be had: {first_line(error)}")
            return self.torch()
        self._say(f"backend {name} {precision}: {why}")
        return backend

    def precisions(self, name: str) -> list[str]:
        """Arithmetics of a runtime to try, quickest first; raises UnfitError."""
        kind = KINDS[name]
        if missing := kind.missing():
            raise UnfitError(f"pip install {' '.join(missing)}")
        able: list[str] = kind.precisions()
        if self._precision == "auto":
            return able
        if self._precision not in able:
            raise UnfitError(f"{name} does not compute in {self._precision} here, only in {' and '.join(able)}")
        return [self._precision]

    def ready(self, name: str, precision: str) -> Backend:
        """A compiled network, read or made; raises UnfitError."""
        title = f"{name} {precision}"
        if refused := self.store.note(title).get("refused"):
            raise UnfitError(f"{title} was tried before, {refused}")
        data = self.store.read(title)
        if data is None and self.store.has(title):
            self._say(f"the network kept for {title} is damaged, it is made again")
        try:
            return self._made(name, precision) if data is None else KINDS[name].load(data, self.info, precision)
        except UnfitError:
            raise
        except Exception as error:  # whatever a runtime comes across
            self.store.write_note(title, refused=first_line(error))
            raise UnfitError(f"{title} failed: {first_line(error)}") from error

    def drift(self, backend: Backend) -> Drift:
        """How far a back end is from PyTorch on drawn pictures."""
        network, worst = self.info.network, Drift()
        for picture in trial_pictures(network.height, network.width):
            exact = self.exact.run(picture, 1, True)
            worst = worst.worst(drift_between(backend.run(picture, 1, True), exact, network))
        return worst

    def _made(self, name: str, precision: str) -> Backend:
        title = f"{name} {precision}"
        self._say(f"making the network for {title}, once: this can take a minute")
        data = KINDS[name].make(self.exact.model, precision)
        backend: Backend = KINDS[name].load(data, self.info, precision)
        drift = self.drift(backend)
        if self._is_strict and not drift.passes:
            self.store.write_note(title, refused=str(drift))
            raise UnfitError(f"{title} puts {drift} on drawn pictures")
        if problem := self.store.write(title, data):
            self._say(f"the network for {title} is made anew with every start: {problem}")
        return backend

    def _on_probation(self, backend: Backend) -> Backend:
        """A compiled network, held to PyTorch until it has passed on real pictures."""
        title = str(backend)
        if not self._is_strict or self.store.note(title).get("passed"):
            return backend
        store, say = self.store, self._say

        def conclude(drift: Drift) -> None:
            store.write_note(title, **{"passed" if drift.passes else "refused": str(drift)})
            end = "it is trusted from now on" if drift.passes else "torch runs the network from now on"
            say(f"{title} puts {drift} on the first pictures: {end}")

        return OnProbation(backend, self.exact, conclude)

    def _measured(self, candidates: list[str], note: str) -> dict[str, Any]:
        """Race all that can be had against PyTorch, and keep the result."""
        entrants: dict[str, Backend] = {str(self.exact): self.exact}
        for name in candidates:
            for precision in self.precisions(name):
                try:
                    entrants[f"{name} {precision}"] = self.ready(name, precision)
                except UnfitError as error:
                    self._say(str(error))
        picture = trial_pictures(self.info.network.height, self.info.network.width)[0]
        calls = {title: lambda one=one: one.run(picture, 1, True) for title, one in entrants.items()}
        times = {title: median(seconds) for title, seconds in race(calls, ROUNDS).items()}
        best = min(times, key=lambda title: times[title])
        first = times[str(self.exact)]
        others = ", ".join(f"{title} {first / seconds:.1f}" for title, seconds in times.items() if title != best)
        winner = entrants[best]
        why = f"{first / times[best]:.1f} times as fast as torch fp32 ({others}), {self.drift(winner)}"
        chosen = {"backend": winner.name, "precision": winner.precision, "why": f"{why}; measured once"}
        self.store.write_note(note, **chosen)
        return chosen

    @property
    def _is_strict(self) -> bool:
        """Whether depth is promised to stay that of float32; who asks for another arithmetic gets it."""
        return self._precision in ("auto", "fp32")
