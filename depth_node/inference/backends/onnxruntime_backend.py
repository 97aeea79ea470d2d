# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""onnxruntime on the CPU, from the exported ONNX graph; making one needs onnx and onnxscript too."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from depth_node.checkpoints.depth_info import CheckpointInfo
from depth_node.inference.backends.interface import GraphBackend

NAME = "onnxruntime"
PACKAGES = ("onnxruntime", "onnx", "onnxscript")


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


def load(data: bytes, info: CheckpointInfo, precision: str) -> GraphBackend:
    """A back end of what `make` gave; raises whatever onnxruntime does where it is none."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Threads that wait for work by spinning take the cores away from the rest of the robot.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    taken = session.get_inputs()[0].name
    names = [output.name for output in session.get_outputs()]

    def compute(image: NDArray[np.float32]) -> list[NDArray[Any]]:
        found: list[NDArray[Any]] = session.run(names, {taken: image})
        return found

    return GraphBackend(NAME, info, precision, compute)
