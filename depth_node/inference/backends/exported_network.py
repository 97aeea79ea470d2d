# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""An exported network in OpenVINO or onnxruntime, on the CPU; PyTorch is not needed, and not asked.

`depth export` has compared the file with PyTorch when it wrote it. OpenVINO compiles it once and the result is kept, as
that of a checkpoint (`model_store`).
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

from depth_node.checkpoints.depth_info import CheckpointInfo, warn_if_restricted
from depth_node.checkpoints.exported import read_exported_info
from depth_node.config.backend import AUTO, check_precision
from depth_node.errors import CheckpointError, ConfigError, first_line
from depth_node.inference.backends.interface import GraphBackend
from depth_node.inference.backends.model_store import ModelStore
from depth_node.inference.backends.opener import KINDS, Say


def open_exported(path: Path, name: str, device: str, precision: str, say: Say) -> GraphBackend:
    """Open an exported network.

    Args:
        path: an ONNX file of `depth export`.
        name: 'auto' takes OpenVINO where it is installed, else onnxruntime; or one of the two.
        device: 'auto' or 'cpu'.
        precision: 'auto' and 'fp32' are the same; 'bf16' where OpenVINO and the processor can.
        say: is told what was taken.

    Raises:
        CheckpointError: the file is no such network, or the runtime cannot run it.
        ConfigError: something else is asked for than what can be had.
    """
    info = read_exported_info(path)
    warn_if_restricted(path, info)
    if device not in (AUTO, "cpu"):
        raise ConfigError(f"an exported network runs on the CPU, not on '{device}': use its checkpoint, or device auto")
    runtime = _runtime(path, name)
    precision = check_precision(precision, on_cpu=True)
    if precision not in runtime.precisions():
        raise ConfigError(f"{runtime.NAME} does not compute in {precision} here: use precision auto")
    try:
        backend = _opened(path, runtime, info, precision, say)
    except CheckpointError:
        raise
    except Exception as error:  # whatever a runtime comes across
        raise CheckpointError(f"{runtime.NAME} cannot run {path.name}: {first_line(error)}") from error
    say(f"backend {backend}, of an exported network: PyTorch is not used")
    return backend


def _runtime(path: Path, name: str) -> ModuleType:
    """The runtime of that name, or the first that is installed."""
    if name != AUTO and name not in KINDS:
        raise ConfigError(
            f"{path.name} is an exported network, which {' or '.join(KINDS)} runs, not {name}: "
            "name the checkpoint it was exported from, or in the live node backend auto"
        )
    wanted = list(KINDS) if name == AUTO else [name]
    for each in wanted:
        if importlib.util.find_spec(each) is not None:
            return KINDS[each]
    raise ConfigError(f"{path.name} needs {' or '.join(wanted)}, which is not installed: pip install {wanted[0]}")


def _opened(path: Path, runtime: ModuleType, info: CheckpointInfo, precision: str, say: Say) -> GraphBackend:
    """The network that was compiled before, or compiled now and kept."""
    store, title = ModelStore(path, info.network), f"{runtime.NAME} {precision}"
    data = store.read(title) if runtime.NEEDS_COMPILING else None
    if data is None:
        data = runtime.read(path, info, precision)
        if runtime.NEEDS_COMPILING and (problem := store.write(title, data)):
            say(f"the network for {title} is made anew with every start: {problem}")
    backend: GraphBackend = runtime.load(data, info, precision)
    return backend
