# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""onnxruntime on the CPU, from the exported ONNX graph; making one needs onnx and onnxscript too."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.checkpoints.depth_info import CheckpointInfo
from depth_node.inference.backends.interface import GraphBackend, live_outputs
from depth_node.inference.backends.threads import thread_count

NAME = "onnxruntime"
PACKAGES = ("onnxruntime", "onnx", "onnxscript")
NEEDS_COMPILING = False
"""It takes the file as it is."""


def missing() -> list[str]:
    """Packages that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def precisions() -> list[str]:
    """What it computes in."""
    return ["fp32"]


def convert(program: Any, outputs: Sequence[str]) -> Any:
    """The ONNX form of a traced network (`graph.trace_live`)."""
    from depth_node.inference.backends.graph import to_onnx

    return to_onnx(program, outputs)


def make(converted: Any, precision: str) -> bytes:  # noqa: ARG001 (one signature for all runtimes)
    """What `convert` gave, as the bytes of a file."""
    data: bytes = converted.SerializeToString()
    return data


def read(path: Path, info: CheckpointInfo, precision: str) -> bytes:  # noqa: ARG001 (one signature for all runtimes)
    """An exported network, as `make` gives one."""
    return path.read_bytes()


def load(data: bytes, info: CheckpointInfo, precision: str) -> GraphBackend:
    """A back end of what `make` gave; raises whatever onnxruntime does where it is none."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = thread_count()
    # Threads that wait for work by spinning take the cores away from the rest of the robot.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    batch, _, height, width = (length if isinstance(length, int) else 0 for length in given.shape)
    names = live_outputs(info, [output.name for output in session.get_outputs()], height, width, batch)

    def compute(image: NDArray[np.float32]) -> list[NDArray[Any]]:
        found: list[NDArray[Any]] = session.run(names, {given.name: image})
        return found

    return GraphBackend(NAME, info, precision, compute)
