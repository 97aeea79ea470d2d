# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The networks as one graph without Python, and that graph as ONNX: what other runtimes are given."""

from __future__ import annotations

import importlib.util
import inspect
import warnings
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from depth_node.config.network import DISPARITIES, INPUT, LOGITS, SCALES
from depth_node.inference.backends.onnx_group_norm import translations
from depth_node.networks.depth_model import DepthModel

OPSET = 18
"""The exporter writes this version of ONNX' operators without conversion; onnxruntime reads it since 1.14 (2023)."""
ONNX_PACKAGES = ("onnx", "onnxscript")


class LiveGraph(nn.Module):
    """The part of a model that is compiled for live use: up to disparities and scores.

    Metres, classes and sky are made of them by the estimator, so that scale and size of the result may change. All
    scales are given, as confidence needs them: the three coarse heads cost a thousandth of a network.

    Attributes:
        outputs: names of what `forward` returns, in order.
    """

    def __init__(self, model: DepthModel) -> None:
        """Take over a model on the CPU, in float32."""
        super().__init__()
        self.model = model
        scores = () if model.semantic_network is None else (LOGITS,)
        self.outputs = (*DISPARITIES, *scores)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """Disparities, finest first, and scores of (B, 3, H, W) RGB in 0..1; see `DepthModel`."""
        semantic = self.model.semantics(image, wanted=True)
        disparities = self.model.disparities(image, semantic, SCALES)
        return (*disparities,) if semantic is None else (*disparities, semantic.logits)


def trace(network: nn.Module, height: int, width: int, batch: int = 1) -> ExportedProgram:
    """The operations of a network that takes `image` (B, 3, height, width).

    Args:
        network: in evaluation mode, on the CPU.
        height: of the input, pixels.
        width: of the input, pixels.
        batch: images per call; 0 leaves their number open.
    """
    # A batch of one would be taken for a constant.
    example = torch.zeros(batch or 2, 3, height, width)
    shapes = None if batch else {INPUT: {0: Dim("batch", min=1)}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # meant for developers of PyTorch
        program = torch.export.export(network, (example,), dynamic_shapes=shapes, strict=False)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # paths of this machine
    return program


def trace_live(model: DepthModel) -> tuple[ExportedProgram, Sequence[str]]:
    """The live part of a model at its own size, and the names of its outputs."""
    graph = LiveGraph(model).eval()
    return trace(graph, model.config.height, model.config.width), graph.outputs


def missing_for_onnx() -> list[str]:
    """Packages that writing ONNX needs and that are not installed."""
    return [name for name in ONNX_PACKAGES if importlib.util.find_spec(name) is None]


def is_torch_too_old() -> bool:
    """Whether this torch cannot write our ONNX."""
    return "custom_translation_table" not in inspect.signature(torch.onnx.export).parameters


def to_onnx(program: ExportedProgram, outputs: Sequence[str]) -> Any:
    """An `onnx.ModelProto` of a graph; needs onnx and onnxscript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported: Any = torch.onnx.export(
            program,
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=outputs,
            custom_translation_table=translations(),
            verbose=False,
        )
    model = exported.model_proto
    graph = model.graph
    for part in (*graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]  # where in PyTorch's graph it came from, with paths of this machine
    return model
