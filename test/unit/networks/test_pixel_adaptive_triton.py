# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The fused kernels against the plain form, value and gradients; without a GPU in Triton's own interpreter.

The interpreter takes Python that the compiler refuses, so the kernels are compiled as well, which needs no GPU.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from depth_node.networks.pixel_adaptive import pixel_distances
from depth_node.networks.pixel_adaptive_ops import PixelAdaptive

triton = pytest.importorskip("triton", reason="Triton is not installed: it comes with torch for CUDA")
VERSION = tuple(int(part) for part in triton.__version__.split(".")[:2])

SHAPES = ((2, 5, 7, 6, 9), (1, 20, 16, 5, 8), (1, 70, 66, 3, 4))
"""Batch, channels in and out, height, width: less than a tile, between tiles, more than a tile."""


def differences(device: str, dtype: torch.dtype, shapes: tuple[tuple[int, ...], ...] = SHAPES) -> list[float]:
    """Largest differences to the plain form in double precision, over the largest value: of all shapes and results."""
    from depth_node.networks import pixel_adaptive_triton as fused

    torch.backends.cudnn.allow_tf32 = False
    found = []
    for batch, inputs, outputs, height, width in shapes:
        drawn = torch.Generator().manual_seed(inputs)
        features = torch.randn(batch, inputs, height, width, generator=drawn).to(dtype)
        weight = (torch.randn(outputs, inputs, 3, 3, generator=drawn) / (3 * inputs**0.5)).to(dtype)
        guide = torch.randn(batch, 4, height, width, generator=drawn)
        affinity = torch.exp(-0.5 * pixel_distances(guide)).to(dtype)
        gradient = torch.randn(batch, outputs, height, width, generator=drawn).to(dtype)
        exact = [t.double().requires_grad_() for t in (features, affinity, weight)]
        result = PixelAdaptive.apply(*exact)
        wanted = [result.detach(), *torch.autograd.grad(result, exact, gradient.double())]
        features, affinity, weight, gradient = (t.to(device) for t in (features, affinity, weight, gradient))
        got = [
            fused.convolve(features, affinity, weight),
            fused.feature_gradient(gradient, affinity, weight),
            fused.affinity_gradient(features, gradient, weight),
            fused.weight_gradient(features, affinity, gradient),
        ]
        assert all(one.dtype == dtype for one in got)
        found += [float((a.cpu().double() - b).abs().max() / b.abs().max()) for a, b in zip(got, wanted, strict=True)]
    return found


@pytest.mark.skipif(VERSION < (3, 2), reason="the interpreter of this Triton takes no constants of a module")
def test_the_kernels_equal_the_plain_form_in_the_interpreter():
    here = Path(__file__)
    code = (
        f"import sys; sys.path.insert(0, {str(here.parent)!r}); from {here.stem} import *; "
        "print(max(differences('cpu', torch.float32)))"
    )
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=here.parents[3], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert float(ran.stdout) < 3e-6  # of the largest value: sums of up to 630 products in single precision


@pytest.mark.parametrize("dtype", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize(
    ("kernel", "pointers"),
    [
        ("_convolve", ("features", "affinity", "weight", "result")),
        ("_affinity_gradient", ("features", "gradient", "weight", "result")),
    ],
)
def test_the_kernels_compile_without_a_gpu(monkeypatch, tmp_path, kernel, pointers, dtype):
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource, compile

    from depth_node.networks import pixel_adaptive_triton as fused

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    constants = {"TILE": 32, "TILE_IN": 16, "TILE_OUT": 16, "PRECISION": "tf32"}
    signature = dict.fromkeys(pointers, f"*{dtype}")
    signature |= dict.fromkeys(("pixels", "height", "width", "inputs", "outputs"), "i32")
    signature |= dict.fromkeys(constants, "constexpr")
    source = ASTSource(getattr(fused, kernel), signature, constants)
    compiled = compile(source, target=GPUTarget("cuda", 90, 32))
    assert "mma" in compiled.asm["ptx"]  # on the tensor cores


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    ("dtype", "bound"), [(torch.float32, 3e-6), (torch.float16, 3e-3), (torch.bfloat16, 2e-2)], ids=str
)
def test_the_kernels_equal_the_plain_form_on_the_gpu(dtype, bound):
    large = ((2, 64, 64, 48, 160), (1, 16, 16, 192, 640), (2, 24, 40, 31, 57))
    assert max(differences("cuda", dtype, SHAPES + large)) < bound
