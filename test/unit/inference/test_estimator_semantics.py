# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The engine with a semantic network: labels, sky and guidance from one pass, and no pass that nobody needs."""

from __future__ import annotations

import copy
import dataclasses
import itertools

import cv2
import numpy as np
import pytest
import torch

from depth_node.checkpoints.depth import Checkpoint, load_checkpoint
from depth_node.config.classes import CITYSCAPES, ClassMap
from depth_node.inference.device import prepare
from depth_node.inference.engine import EstimateRequest
from depth_node.inference.estimator import DepthEstimator
from depth_node.inference.tensor_prediction import apply_range
from depth_node.networks.factory import build_depth_network
from depth_node.networks.semantic import SemanticNetwork

K = np.array([[210.0, 0, 100.5], [0, 220.0, 60.25], [0, 0, 1]])
SKY = CITYSCAPES.index("sky")
IMAGE = cv2.resize(np.random.default_rng(0).integers(0, 256, (9, 15, 3), np.uint8), (207, 125))


@pytest.fixture(scope="module")
def checkpoint(guided_checkpoint):
    """As loaded, but with something to say: fresh heads give an almost flat depth."""
    loaded = load_checkpoint(guided_checkpoint)
    with torch.no_grad():
        loaded.depth.decoder.heads[0].conv.weight.mul_(200.0)
    return loaded


@pytest.fixture(scope="module")
def plain(checkpoint):
    """The same semantic network beside a depth network that does not need it."""
    config = dataclasses.replace(checkpoint.info.network, guided=False)
    info = dataclasses.replace(checkpoint.info, network=config)
    return Checkpoint(info, build_depth_network(config), semantic=checkpoint.semantic)


@pytest.fixture
def estimator(checkpoint):
    return DepthEstimator(checkpoint, "cpu")


def runs(network):
    """A list that gets the input of every pass."""
    seen = []
    network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    return seen


def test_one_pass_on_the_very_input_of_the_depth_network(checkpoint, estimator):
    semantic, depth = runs(checkpoint.semantic), runs(checkpoint.depth)
    estimator.estimate(IMAGE, K)
    assert len(semantic) == len(depth) == 1
    assert semantic[0].data_ptr() == depth[0].data_ptr()


@pytest.mark.parametrize(("sky", "labels"), list(itertools.product([False, True], repeat=2)))
def test_a_pass_only_where_something_needs_it(checkpoint, plain, sky, labels):
    for network, wanted in ((checkpoint, 1), (plain, int(sky or labels))):
        estimator, seen = DepthEstimator(network, "cpu"), runs(network.semantic)
        prediction = estimator.estimate(IMAGE, K, sky_infinite=sky, with_labels=labels)
        assert len(seen) == wanted
        assert (prediction.labels is not None) == (sky or labels)
        assert ("semantic" in prediction.timings) == bool(wanted)
        assert torch.isinf(prediction.depth).any() == sky


def test_depth_follows_the_semantic_maps(checkpoint, estimator):
    """Exactly what depth and semantic network give when called by hand; without the maps there is none."""
    image = cv2.resize(IMAGE, (128, 64))
    batch = torch.from_numpy(image).permute(2, 0, 1)[None] / 255.0
    with torch.no_grad():
        maps = checkpoint.semantic(batch).maps
        disparity = checkpoint.depth(batch, 1, maps)[0][0, 0]
        other = checkpoint.depth(batch, 1, [torch.zeros_like(part) for part in maps])[0][0, 0]
    depth = estimator.estimate(image, K, sky_infinite=False).depth
    torch.testing.assert_close(10.0 / depth, 0.01 + 9.99 * disparity, rtol=1e-4, atol=1e-6)
    assert (disparity - other).abs().max() > 1e-3


def test_labels_are_the_best_class_at_the_size_of_the_depth(checkpoint, estimator):
    small, full = estimator.estimate(IMAGE, K), estimator.estimate(IMAGE, K, full_resolution=True)
    with torch.no_grad():
        resized = small.image.permute(2, 0, 1)[None] / 255.0
        scores = torch.nn.functional.interpolate(checkpoint.semantic(resized).logits, (64, 128), mode="bilinear")
    assert torch.equal(small.labels, scores[0].argmax(0).to(torch.uint8))
    assert full.labels.shape == full.depth.shape == (125, 207)
    rows, columns = (((np.arange(n) + 0.5) * few / n).astype(int) for n, few in ((125, 64), (207, 128)))
    np.testing.assert_array_equal(full.labels.numpy(), small.labels.numpy()[np.ix_(rows, columns)])
    assert len(small.labels.unique()) > 3
    assert small.labels.dtype == full.labels.dtype == torch.uint8


@pytest.mark.parametrize("full", [False, True])
def test_sky_is_known_to_be_infinitely_far(estimator, full):
    with_sky = estimator.estimate(IMAGE, K, full)
    without = estimator.estimate(IMAGE, K, full, sky_infinite=False)
    sky = with_sky.labels == SKY
    assert 0.02 < sky.float().mean() < 0.98
    assert (with_sky.depth[sky] == torch.inf).all()
    assert torch.equal(with_sky.depth[~sky], without.depth[~sky])
    assert torch.isfinite(without.depth).all()
    assert with_sky.valid.all()
    published = apply_range(with_sky.depth, with_sky.valid, 0.001, 1000.0)
    assert torch.equal(published, with_sky.depth)


def test_sky_is_sky_even_where_depth_is_none(checkpoint, estimator):
    hook = checkpoint.depth.register_forward_hook(lambda module, inputs, output: [output[0] * torch.nan])
    prediction = estimator.estimate(IMAGE, K)
    hook.remove()
    assert torch.equal(prediction.valid, prediction.labels == SKY)


def test_classes_without_a_sky(plain):
    """Nothing is infinite then, and sky alone is no reason to run the semantic network."""
    classes = ClassMap(CITYSCAPES.names, CITYSCAPES.colors)
    semantic = copy.deepcopy(plain.semantic)
    semantic.classes = classes
    estimator = DepthEstimator(Checkpoint(plain.info, plain.depth, semantic=semantic), "cpu")
    seen = runs(semantic)
    assert torch.isfinite(estimator.estimate(IMAGE, K).depth).all()
    assert estimator.estimate(IMAGE, K, with_labels=False).labels is None
    assert len(seen) == 1


def test_stages_in_order(estimator):
    assert list(estimator.estimate(IMAGE, K).timings) == [
        "upload",
        "preprocess",
        "semantic",
        "depth",
        "labels",
        "scale",
    ]


def test_half_precision_stays_close(checkpoint, estimator):
    rough = DepthEstimator(copy.deepcopy(checkpoint), "cpu", "bf16").estimate(IMAGE, K, sky_infinite=False)
    exact = estimator.estimate(IMAGE, K, sky_infinite=False)
    relative = (rough.depth / exact.depth - 1).abs()
    assert 0 < relative.mean() < 0.02
    assert (rough.labels == exact.labels).float().mean() > 0.9
    assert rough.depth.dtype == torch.float32


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 0.01), ("fp16", 0.03), ("bf16", 0.05)])
def test_cuda_agrees_with_the_cpu(checkpoint, estimator, precision, tolerance):
    there = DepthEstimator(copy.deepcopy(checkpoint), "cuda", precision).estimate(IMAGE, K, True, sky_infinite=False)
    here = estimator.estimate(IMAGE, K, True, sky_infinite=False)
    assert there.labels.is_cuda
    assert ((there.depth.cpu() / here.depth - 1).abs().mean() < tolerance).item()
    assert (there.labels.cpu() == here.labels).float().mean() > 0.9


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_segformer_runs_in_half_precision_on_cuda():
    from depth_node.config.semantic import SemanticConfig

    network = SemanticNetwork(SemanticConfig("segformer", "mit_b0"), CITYSCAPES).freeze()
    prepare(network, torch.device("cuda"), torch.float16)
    with torch.inference_mode():
        assert torch.isfinite(network(torch.rand(1, 3, 64, 64, device="cuda")).logits).all()


def test_several_cameras_in_one_pass(checkpoint, estimator):
    """Pictures of any sizes, each with wishes of its own, as if each had been alone."""
    pictures = [np.random.default_rng(seed).integers(0, 256, (60, 50 + 30 * seed, 3), np.uint8) for seed in range(3)]
    wishes = [{"full_resolution": True}, {"with_labels": False, "sky_infinite": False}, {"with_confidence": True}]
    alone = [estimator.estimate(image, K, **wish) for image, wish in zip(pictures, wishes, strict=True)]
    depth = runs(checkpoint.depth)
    requests = [EstimateRequest(image, K, **wish) for image, wish in zip(pictures, wishes, strict=True)]
    together = estimator.estimate_batch(requests)
    assert [len(batch) for batch in depth] == [3]
    for one, other in zip(alone, together, strict=True):
        torch.testing.assert_close(other.depth, one.depth, rtol=1e-3, atol=1e-3, equal_nan=True)
        assert torch.equal(other.image, one.image)
        np.testing.assert_array_equal(other.K, one.K)
        for mine, theirs in ((one.labels, other.labels), (one.confidence, other.confidence)):
            assert (mine is None) == (theirs is None)
            assert mine is None or (mine == theirs).float().mean() > 0.99
        assert list(other.timings) == list(one.timings)


def test_a_back_end_without_batches_takes_one_after_the_other(checkpoint, estimator, monkeypatch):
    monkeypatch.setattr(estimator.backend, "batches", False)
    depth = runs(checkpoint.depth)
    first, second = estimator.estimate_batch([EstimateRequest(IMAGE, K), EstimateRequest(IMAGE[:, ::-1], K)])
    assert [len(batch) for batch in depth] == [1, 1]
    assert not torch.equal(first.depth, second.depth)
