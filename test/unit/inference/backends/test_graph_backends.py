# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The real runtimes: the same predictions as PyTorch, guided and not, on every output."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch

from depth_node.inference.backends.opener import KINDS, Opener
from depth_node.inference.estimator import DepthEstimator

K = np.array([[210.0, 0, 100.5], [0, 220.0, 60.25], [0, 0, 1]])
IMAGE = cv2.resize(np.random.default_rng(0).integers(0, 256, (9, 15, 3), np.uint8), (207, 125))


@pytest.fixture(scope="module")
def open_checkpoint(tmp_path_factory):
    """A function that opens a checkpoint, each once: tracing takes seconds."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEPTH_NODE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield lambda path: made.setdefault(path, Opener(path, "cpu", "fp32", print))


@pytest.fixture(params=list(KINDS))
def name(request):
    missing = KINDS[request.param].missing()
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed")
    return request.param


@pytest.mark.parametrize("checkpoint", ["small_checkpoint", pytest.param("guided_checkpoint", marks=pytest.mark.slow)])
def test_predictions_are_those_of_torch(name, checkpoint, request, open_checkpoint):
    path = request.getfixturevalue(checkpoint)
    there = DepthEstimator(open_checkpoint(path).ready(name, "fp32"))
    here = DepthEstimator.from_checkpoint(path, "cpu")
    for full in (False, True):
        found, expected = (each.estimate(IMAGE, K, full, with_confidence=True) for each in (there, here))
        torch.testing.assert_close(found.depth, expected.depth, rtol=1e-4, atol=0)
        assert torch.equal(found.valid, expected.valid)
        assert (found.confidence.int() - expected.confidence.int()).abs().max() <= 1
        assert (found.labels is None) == (expected.labels is None)
        if expected.labels is not None:
            assert (found.labels == expected.labels).float().mean() > 0.999
    assert "semantic" not in found.timings
    with pytest.raises(AttributeError, match="no modules of PyTorch"):
        _ = there.model


def test_a_kept_network_needs_no_pytorch(name, small_checkpoint, open_checkpoint):
    """Its import alone takes longer than all else that a start does."""
    opener = open_checkpoint(small_checkpoint)
    opener.ready(name, "fp32")
    opener.store.write_note(f"{name} fp32", passed="well")
    code = (
        "import sys; from depth_node.inference.engine import open_engine; "
        f"e = open_engine({str(small_checkpoint)!r}, 'cpu', 'fp32', backend={name!r}); e.warm_up(); "
        "print(e.backend, sorted({'timm', 'torchvision', 'torch', 'onnx'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == f"{name} fp32 []"
