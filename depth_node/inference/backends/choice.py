# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Which back end runs a checkpoint: the one that is asked for, or the fastest that agrees with PyTorch.

Compiled networks are kept and read again (`model_store`): with all in place, PyTorch is not even imported. What cannot
be had is replaced by PyTorch, with one line that says why.
"""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path
from statistics import median
from typing import Any

from depth_node.checkpoints.by_name import located
from depth_node.checkpoints.exported import is_exported
from depth_node.config.backend import AUTO, BACKENDS, TORCH, check_precision
from depth_node.errors import CheckpointError, ConfigError
from depth_node.inference.backends.drift import Drift
from depth_node.inference.backends.exported_network import open_exported
from depth_node.inference.backends.interface import Backend
from depth_node.inference.backends.opener import KINDS, Opener, Say, UnfitError
from depth_node.inference.backends.race import race

ROUNDS = 5


def open_backend(
    checkpoint: str | Path, name: str = AUTO, device: str = "auto", precision: str = "auto", say: Say = print
) -> Backend:
    """Open a checkpoint in a back end.

    Args:
        checkpoint: the file, or the name of a shipped one; or what `depth export` wrote as *.onnx.
        name: one of `config.backend.BACKENDS`.
        device: 'auto', 'cpu', 'cuda' or 'cuda:N'; compiled networks are for the CPU.
        precision: 'auto', 'fp32', 'bf16' or 'fp16'; auto lets a runtime compute in bf16 where depth stays within
            `drift.DEPTH_BOUND`.
        say: is told what was chosen, and what could not be had.

    Raises:
        CheckpointError: the checkpoint cannot be read, or PyTorch is needed for it and not installed.
        ConfigError: the name is unknown, device or precision are not to be had.
    """
    if name not in BACKENDS:
        raise ConfigError(f"backend '{name}' is unknown: use {', '.join(BACKENDS)}")
    path = located(checkpoint)
    if is_exported(path):
        return open_exported(path, name, device, precision, say)
    if importlib.util.find_spec("torch") is None:
        raise CheckpointError(
            f"{path.name} needs PyTorch, which is not installed here: pip install torch torchvision timm safetensors "
            f"segmentation-models-pytorch, or where they are `depth export {path.name} --output {path.stem}.onnx`, and "
            "name that file"
        )
    is_on_gpu = _is_on_gpu(device, precision)
    # Who asks for another arithmetic gets it.
    opener = Opener(path, device, precision, say, is_strict=precision in ("auto", "fp32"))
    if is_on_gpu and (name == AUTO or device != "auto"):
        if name not in (AUTO, TORCH):
            say(f"backend {name} runs on the CPU only, not on a GPU: torch runs the network")
        return opener.torch()
    if name == TORCH:
        return opener.torch()
    return fastest(opener) if name == AUTO else compiled(opener, name)


def _is_on_gpu(device: str, precision: str) -> bool:
    """Whether PyTorch would compute on a GPU; raises ConfigError where device or precision are not to be had.

    PyTorch itself is asked only where there is a driver at all: its import is most of a start.
    """
    if device == "cpu" or (device == "auto" and not _has_gpu_driver()):
        check_precision(precision, on_cpu=True)
        return False
    from depth_node.inference.device import choose_device, choose_precision

    where = choose_device(device)
    choose_precision(precision, where)
    return where.type != "cpu"


def _has_gpu_driver() -> bool:
    """Whether a driver is there without which no PyTorch computes on a GPU: NVIDIA's, or AMD's."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return Path("/dev/kfd").exists()
    return True


def compiled(opener: Opener, name: str) -> Backend:
    """One runtime in its quickest arithmetic that passes, or PyTorch."""
    reasons = []
    try:
        for precision in opener.precisions(name):
            try:
                backend = opener.ready(name, precision)
            except UnfitError as error:
                reasons.append(str(error))
            else:
                return _on_probation(opener, backend)
    except UnfitError as error:
        reasons.append(str(error))
    opener.say(f"backend {name} cannot be had, torch runs the network: {'; '.join(reasons)}")
    return opener.torch()


def fastest(opener: Opener) -> Backend:
    """The back end that was measured to be the fastest; measures where nobody has yet."""
    candidates = [name for name, kind in KINDS.items() if not kind.missing()]
    if not candidates:
        opener.say("backend torch, the only one here: pip install openvino makes the network faster on a CPU")
        return opener.torch()
    note = f"choice {opener.precision}"
    for known in (opener.store.note(note), None):
        chosen = _measured(opener, candidates, note) if known is None else known
        try:
            name, precision, why = (str(chosen[part]) for part in ("backend", "precision", "why"))
            backend = opener.torch() if name == TORCH else _on_probation(opener, opener.ready(name, precision))
        except (KeyError, UnfitError):
            continue  # what was the fastest has drifted since on real pictures: the others race again
        opener.say(f"backend {name} {precision}: {why}")
        return backend
    opener.say("backend torch: what was measured to be the fastest cannot be had")
    return opener.torch()


def _on_probation(opener: Opener, backend: Backend) -> Backend:
    """A compiled network, held to PyTorch until it has passed on real pictures."""
    title = str(backend)
    if not opener.is_strict or "passed" in opener.store.note(title):
        return backend
    from depth_node.inference.backends.probation import OnProbation

    store, say = opener.store, opener.say

    def conclude(drift: Drift) -> None:
        store.write_note(title, **{"passed" if drift.passes else "refused": str(drift)})
        end = "it is trusted from now on" if drift.passes else "torch runs the network from now on"
        say(f"{title} puts {drift} on the first pictures: {end}")

    return OnProbation(backend, opener.exact, conclude)


def _measured(opener: Opener, candidates: list[str], note: str) -> dict[str, Any]:
    """Race all that can be had against PyTorch, and keep the result."""
    from depth_node.inference.backends.trial_pictures import trial_pictures

    entrants: dict[str, Backend] = {str(opener.exact): opener.exact}
    for name in candidates:
        for title in opener.titles(name):
            try:
                entrants[title] = opener.entrant(title)
            except UnfitError as error:
                opener.say(str(error))
    picture = trial_pictures(opener.info.network.height, opener.info.network.width)[0]
    calls = {title: lambda one=one: one.run(picture, 1, True) for title, one in entrants.items()}
    times = {title: median(seconds) for title, seconds in race(calls, ROUNDS).items()}
    best = min(times, key=lambda title: times[title])
    first = times[str(opener.exact)]
    others = ", ".join(f"{title} {first / seconds:.1f}" for title, seconds in times.items() if title != best)
    winner = entrants[best]
    why = f"{first / times[best]:.1f} times as fast as torch fp32 ({others}), {opener.drift(winner)}"
    chosen = {"backend": winner.name, "precision": winner.precision, "why": f"{why}; measured once"}
    opener.store.write_note(note, **chosen)
    return chosen
