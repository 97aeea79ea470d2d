# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an exported network still says what it said in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from depth_node.config.network import DEPTH, DISPARITIES, INPUT
from depth_node.errors import OutputError, first_line
from depth_node.geometry.disparity import depth_to_disparity
from depth_node.networks.depth_model import DepthModel

TOLERANCE = 1e-4
"""Largest difference that passes: of disparity, which is 0 to 1, and of scores as a share of their range."""

Runner = Callable[[Tensor], dict[str, Tensor]]
"""(B, 3, H, W) images to outputs by name."""


def onnx_runner(path: Path) -> Runner:
    """An ONNX file in onnxruntime on the CPU; raises OutputError where onnxruntime cannot load it."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base
        raise OutputError(f"onnxruntime cannot load what was written: {first_line(error)}") from error
    names = [output.name for output in session.get_outputs()]

    def run(image: Tensor) -> dict[str, Tensor]:
        found = session.run(names, {INPUT: image.numpy()})
        return {name: torch.from_numpy(array) for name, array in zip(names, found, strict=True)}

    return run


def program_runner(path: Path) -> Runner:
    """A .pt2 file in PyTorch."""
    runner: Runner = torch.export.load(path).module()
    return runner


@torch.no_grad()
def check(network: DepthModel, run: Runner, batch: int = 1) -> dict[str, float]:
    """Compare a runner with its network on noise and on a picture with edges and gradients.

    Args:
        network: what was exported.
        run: the exported form.
        batch: images per call; 0, an open number, is tried with one and with two.

    Returns:
        The largest difference of each output, by name. Depth is compared as disparity, so that a far pixel does not
        weigh more than a near one.

    Raises:
        OutputError: a difference is beyond `TOLERANCE`.
    """
    worst = dict.fromkeys(network.outputs, 0.0)
    for image in _pictures(network.config.height, network.config.width, batch):
        expected, found = network(image), run(image)
        for name in worst:
            worst[name] = max(worst[name], _difference(network, name, found[name], expected[name]))
    name = max(worst, key=lambda output: worst[output])
    if worst[name] > TOLERANCE:
        raise OutputError(
            f"the exported {name} differs from PyTorch's by {worst[name]:.2g}, more than {TOLERANCE:g}: "
            "rounding alone can do that in a very deep network; --no_verify writes it all the same"
        )
    return worst


def _difference(network: DepthModel, name: str, found: Tensor, expected: Tensor) -> float:
    if found.shape != expected.shape:
        raise OutputError(f"the exported {name} has shape {tuple(found.shape)} instead of {tuple(expected.shape)}")
    span = 1.0
    if name == DEPTH:
        config, scale = network.config, network.scale
        found, expected = (
            depth_to_disparity(depth.double() / scale, config.min_depth, config.max_depth)
            for depth in (found, expected)
        )
    elif name not in DISPARITIES:
        span = float(expected.max() - expected.min()) or 1.0
    # A result that is not a number is as wrong as can be.
    return float((found - expected).abs().nan_to_num(torch.inf, torch.inf).max()) / span


def _pictures(height: int, width: int, batch: int) -> Iterator[Tensor]:
    """Two inputs (B, 3, height, width): noise, and rectangles on a gradient."""
    random = torch.Generator().manual_seed(0)
    yield torch.rand(batch or 1, 3, height, width, generator=random)
    down, right = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)
    scene = torch.stack([down * right, 1 - down + 0 * right, 0 * down + right])
    scene[:, height // 2 : height * 3 // 4, width // 4 : width // 3] = torch.tensor([0.9, 0.1, 0.1])[:, None, None]
    scene[:, height // 4 :, width * 2 // 3 : width * 3 // 4] = 0.1
    shifted = [scene.roll(i * width // 8, dims=2) for i in range(batch or 2)]
    yield torch.stack(shifted)
