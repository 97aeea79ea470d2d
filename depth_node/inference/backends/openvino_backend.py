# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO on the CPU, made straight from the PyTorch modules.

Where the processor computes in bf16, convolutions may; the last sigmoid and all that comes after stay in float32.
"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depth_node.checkpoints.depth_info import CheckpointInfo
from depth_node.inference.backends.interface import GraphBackend, live_outputs
from depth_node.inference.backends.threads import thread_count

NAME = "openvino"
PACKAGES = ("openvino",)
HINTS = {"fp32": "f32", "bf16": "bf16"}
NEEDS_COMPILING = True


def missing() -> list[str]:
    """Packages that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def precisions() -> list[str]:
    """What this processor computes in, the quickest first."""
    import openvino

    able: Sequence[str] = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ["bf16", "fp32"] if "BF16" in able else ["fp32"]


def convert(program: Any, outputs: Sequence[str]) -> Any:  # noqa: ARG001 (one signature for all runtimes)
    """OpenVINO's form of a traced network (`graph.trace_live`)."""
    import openvino

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # meant for developers of PyTorch
        return openvino.convert_model(program)


def make(converted: Any, precision: str) -> bytes:
    """Compile what `convert` gave for this machine, in 'fp32' or 'bf16'."""
    import openvino

    compiled = openvino.Core().compile_model(converted, "CPU", _settings(precision))
    blob = compiled.export_model()
    return blob if isinstance(blob, bytes) else bytes(blob.getbuffer())


def read(path: Path, info: CheckpointInfo, precision: str) -> bytes:
    """Compile the live part of an exported network, as `make` does; raises CheckpointError where it has none."""
    import openvino

    model = openvino.Core().read_model(path)
    shape = model.input(0).partial_shape
    batch, height, width = (shape[i].get_length() if shape[i].is_static else 0 for i in (0, 2, 3))
    names = live_outputs(info, [output.any_name for output in model.outputs], height, width, batch)
    results = [model.output(name).node.input_value(0) for name in names]
    live = openvino.Model(results, model.get_parameters(), path.stem)
    live.reshape([1, 3, height, width])
    return make(live, precision)


def load(data: bytes, info: CheckpointInfo, precision: str) -> GraphBackend:
    """A back end of what `make` gave; raises whatever OpenVINO does where it is none."""
    import openvino

    request = openvino.Core().import_model(data, "CPU", _settings(precision)).create_infer_request()

    def compute(image: NDArray[np.float32]) -> list[NDArray[Any]]:
        found = request.infer([image], share_inputs=True)
        return [found[i] for i in range(len(found))]

    return GraphBackend(NAME, info, precision, compute)


def _settings(precision: str) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": thread_count(),
    }
