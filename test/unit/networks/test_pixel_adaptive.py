# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pixel-adaptive convolution: the fast form against the formula, its gradients, and its limits."""

import pytest
import torch
import torch.nn.functional as F

from depth_node.networks.pixel_adaptive import (
    PixelAdaptiveConv2d,
    pixel_adaptive_convolution,
    pixel_distances,
    reference_convolution,
)
from depth_node.networks.pixel_adaptive_ops import PixelAdaptive
from depth_node.networks.pixel_adaptive_tiles import half_window, tiled_convolution

SHAPES = [(1, 1, 1, 1, 3), (2, 5, 7, 9, 3), (1, 16, 40, 64, 3), (2, 3, 1, 6, 3), (2, 4, 6, 5, 5), (1, 2, 3, 3, 7)]


def draw(batch, channels, height, width, kernel, dtype=torch.float32, seed=0):
    """Features, guide, weight and bias."""
    random = torch.Generator().manual_seed(seed)
    options = {"generator": random, "dtype": dtype}
    features = torch.randn(batch, channels, height, width, **options)
    guide = 0.4 * torch.randn(batch, 4, height, width, **options)
    weight = torch.randn(channels + 1, channels, kernel, kernel, **options)
    return features, guide, weight, torch.randn(channels + 1, **options)


def fast(features, guide, weight, bias, sigma=1.0):
    affinity = torch.exp(-0.5 * pixel_distances(guide, weight.shape[-1]) / sigma**2)
    return pixel_adaptive_convolution(features, affinity, weight, bias)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_fast_form_equals_the_formula(shape):
    features, guide, weight, bias = draw(*shape)
    expected = reference_convolution(features, guide, weight, bias, sigma=0.7)
    torch.testing.assert_close(fast(features, guide, weight, bias, sigma=0.7), expected, atol=1e-5, rtol=1e-5)


def test_one_pixel_computed_by_hand():
    features = torch.tensor([[[[1.0, 2.0, 4.0]]]])
    guide = torch.tensor([[[[0.0, 1.0, 3.0]]]])
    weight = torch.zeros(1, 1, 3, 3)
    weight[0, 0, 1] = torch.tensor([10.0, 100.0, 1000.0])
    near, far = torch.exp(torch.tensor(-0.5)), torch.exp(torch.tensor(-2.0))
    middle = 10 * near * 1 + 100 * 2 + 1000 * far * 4
    assert fast(features, guide, weight, None)[0, 0, 0, 1] == pytest.approx(float(middle), rel=1e-6)


@pytest.mark.parametrize("shape", [(2, 3, 4, 5, 3), (1, 2, 5, 4, 5)])
def test_gradients_of_everything(shape):
    inputs = [tensor.requires_grad_() for tensor in draw(*shape, dtype=torch.float64)]
    assert torch.autograd.gradcheck(fast, inputs)


def test_gradients_equal_those_of_the_formula():
    ours, theirs = ([t.requires_grad_() for t in draw(2, 8, 12, 20, 3, seed=1)] for _ in range(2))
    fast(*ours).square().mean().backward()
    reference_convolution(*theirs).square().mean().backward()
    for mine, expected in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, expected.grad, atol=1e-5, rtol=1e-4)


def test_a_constant_guide_gives_an_ordinary_convolution():
    features, _, weight, bias = draw(2, 6, 9, 8, 3)
    guide = torch.full((2, 4, 9, 8), 0.3)
    torch.testing.assert_close(
        fast(features, guide, weight, bias), F.conv2d(features, weight, bias, padding=1), atol=1e-5, rtol=1e-5
    )


def test_a_wide_kernel_gives_an_ordinary_convolution():
    features, guide, weight, bias = draw(1, 6, 9, 8, 3)
    wide = fast(features, guide, weight, bias, sigma=1e4)
    torch.testing.assert_close(wide, F.conv2d(features, weight, bias, padding=1), atol=1e-4, rtol=1e-4)


def test_a_narrow_kernel_leaves_the_centre_alone():
    features, guide, weight, bias = draw(1, 6, 9, 8, 3)
    narrow = fast(features, guide, weight, bias, sigma=1e-3)
    torch.testing.assert_close(narrow, F.conv2d(features, weight[..., 1:2, 1:2], bias), atol=1e-5, rtol=1e-5)


def test_nothing_crosses_the_border_of_two_classes():
    left = torch.cat([torch.ones(1, 1, 6, 4), torch.zeros(1, 1, 6, 4)], 3)
    guide = 100.0 * left
    mixed = fast(left, guide, torch.full((1, 1, 3, 3), 1 / 9), None)
    assert (mixed[..., 4:] == 0).all()
    assert (F.conv2d(left, torch.full((1, 1, 3, 3), 1 / 9), padding=1)[..., 4] > 0).all()


def test_distances_of_neighbours():
    guide = torch.tensor([[[[0.0, 1.0], [3.0, 7.0]]]])
    planes = pixel_distances(guide)[0]
    assert half_window(3) == ((0, 1), (1, -1), (1, 0), (1, 1))
    assert planes[0, 0, 0] == 1  # to the right
    assert planes[1, 0, 1] == 4  # below, to the left
    assert planes[2, 0, 0] == 9  # below
    assert planes[3, 0, 0] == 49  # below, to the right
    assert planes[2, 1, 1] == 49  # outside counts as zero


def test_the_tile_size_does_not_matter(monkeypatch):
    features, guide, weight, _ = draw(2, 8, 11, 6, 3)
    affinity = torch.exp(-0.5 * pixel_distances(guide))
    whole = tiled_convolution(features, affinity, weight)
    monkeypatch.setattr("depth_node.networks.pixel_adaptive_tiles.TILE_BYTES", 4000)
    torch.testing.assert_close(tiled_convolution(features, affinity, weight), whole)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_equals_the_formula():
    features, guide, weight, bias = (tensor.cuda() for tensor in draw(2, 16, 24, 40, 3))
    torch.backends.cudnn.allow_tf32 = False
    torch.testing.assert_close(
        fast(features, guide, weight, bias), reference_convolution(features, guide, weight, bias), atol=1e-4, rtol=1e-4
    )


def test_tracing_gives_the_same_numbers():
    layer = PixelAdaptiveConv2d(4, 6, sigma=0.8)
    features, guide, _, _ = draw(1, 4, 8, 8, 3)
    distances = pixel_distances(guide)
    program = torch.export.export(layer, (features, distances)).module()
    torch.testing.assert_close(program(features, distances), layer(features, distances), atol=1e-5, rtol=1e-5)


def test_sigma_is_learnt():
    layer = PixelAdaptiveConv2d(4, 4, sigma=2.0)
    assert float(layer.log_sigma.exp()) == pytest.approx(2.0)
    features, guide, _, _ = draw(1, 4, 8, 8, 3)
    layer(features, pixel_distances(guide)).square().sum().backward()
    assert layer.log_sigma.grad is not None
    assert layer.log_sigma.grad != 0


def test_half_precision_stays_half_and_close():
    features, guide, weight, bias = draw(1, 8, 9, 8, 3)
    half = fast(features.bfloat16(), guide.bfloat16(), weight, bias)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), fast(features, guide, weight, bias), atol=0.3, rtol=0.05)


def test_even_kernels_are_refused():
    with pytest.raises(ValueError, match="odd"):
        PixelAdaptiveConv2d(3, 3, kernel=4)


def test_the_forward_pass_keeps_no_unfolded_copy():
    features, guide, weight, _ = draw(1, 8, 16, 16, 3)
    affinity = torch.exp(-0.5 * pixel_distances(guide))
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        PixelAdaptive.apply(features.requires_grad_(), affinity.requires_grad_(), weight.requires_grad_())
    assert sum(kept) == features.numel() + affinity.numel() + weight.numel()
