# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from depth_node.losses import photometric_gradient
from depth_node.losses.patches import patch_mean
from depth_node.losses.photometric import C1, C2, patch_moments, photometric_error, ssim_distance

GENERATOR = torch.Generator().manual_seed(0)
IMAGE = torch.rand(2, 3, 12, 16, generator=GENERATOR, dtype=torch.float64)
OTHER = torch.rand(2, 3, 12, 16, generator=GENERATOR, dtype=torch.float64)


def test_patch_mean_is_a_reflected_three_by_three_average():
    expected = F.avg_pool2d(F.pad(IMAGE, (1, 1, 1, 1), mode="reflect"), 3, stride=1)
    torch.testing.assert_close(patch_mean(IMAGE), expected)


def test_equal_images_have_no_error():
    moments = patch_moments(IMAGE)
    assert photometric_error(IMAGE, moments).abs().max() < 1e-12


def test_ssim_of_one_patch_by_hand():
    x, y = IMAGE[0, 0, 4:7, 5:8].numpy(), OTHER[0, 0, 4:7, 5:8].numpy()
    covariance = np.mean(x * y) - x.mean() * y.mean()
    ssim = (2 * x.mean() * y.mean() + C1) * (2 * covariance + C2)
    ssim /= (x.mean() ** 2 + y.mean() ** 2 + C1) * (x.var() + y.var() + C2)
    distance = ssim_distance(patch_moments(IMAGE), patch_moments(OTHER))[0, 0, 5, 6]
    np.testing.assert_allclose(distance.item(), np.clip((1 - ssim) / 2, 0, 1))


def test_blend_of_both_terms():
    moments = patch_moments(OTHER)
    absolute = (IMAGE - OTHER).abs().mean(1, keepdim=True)
    structure = ssim_distance(patch_moments(IMAGE), moments).mean(1, keepdim=True)
    torch.testing.assert_close(photometric_error(IMAGE, moments), 0.85 * structure + 0.15 * absolute)
    torch.testing.assert_close(photometric_error(IMAGE, moments, ssim_weight=0.0), absolute)


def test_patch_mean_hands_its_gradient_to_every_pixel_of_a_patch():
    image = IMAGE[:1, :1, :5, :6].clone().requires_grad_()
    assert torch.autograd.gradcheck(patch_mean, (image,))


def test_gradient():
    target = patch_moments(OTHER[:1, :, :4, :5])
    prediction = IMAGE[:1, :, :4, :5].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda p: photometric_error(p, target), (prediction,), eps=1e-7, atol=1e-5)


@pytest.mark.parametrize("constants", [(0.85, C1, C2), (1.0, 0.1, 0.2)])
def test_the_written_gradient_is_that_of_the_formula(constants, monkeypatch):
    weight, c1, c2 = constants
    monkeypatch.setattr(photometric_gradient, "CACHED_PIXELS", 1)  # one picture at a time
    # Float32, and flat areas as in the sky, where rounding can carry SSIM beyond 1.
    image, other = IMAGE.float(), (IMAGE + 0.1 * OTHER).clamp(0, 1).float()
    image[..., :6, :8], other[..., :6, :8] = 0.7, 0.7
    upstream = torch.rand(2, 1, 12, 16, generator=torch.Generator().manual_seed(1))
    target = patch_moments(other)
    gradients = []
    for written in (True, False):
        prediction = image.clone().requires_grad_()
        if written:
            error = photometric_error(prediction, target, weight, c1, c2)
        else:
            structure = ssim_distance(patch_moments(prediction), target, c1, c2).mean(1, keepdim=True)
            error = weight * structure + (1 - weight) * (prediction - other).abs().mean(1, keepdim=True)
        error.backward(upstream)
        gradients.append((error.detach(), prediction.grad))
    for mine, formula in zip(*gradients, strict=True):
        torch.testing.assert_close(mine, formula, rtol=1e-4, atol=1e-4)


def test_constants_can_be_chosen():
    x, y = IMAGE[0, 0, 4:7, 5:8].numpy(), OTHER[0, 0, 4:7, 5:8].numpy()
    covariance = np.mean(x * y) - x.mean() * y.mean()
    ssim = (2 * x.mean() * y.mean() + 0.1) * (2 * covariance + 0.2)
    ssim /= (x.mean() ** 2 + y.mean() ** 2 + 0.1) * (x.var() + y.var() + 0.2)
    distance = ssim_distance(patch_moments(IMAGE), patch_moments(OTHER), 0.1, 0.2)[0, 0, 5, 6]
    np.testing.assert_allclose(distance.item(), (1 - ssim) / 2)
    error = photometric_error(IMAGE, patch_moments(OTHER), 1.0, 0.1, 0.2)[0, 0, 5, 6]
    every = ssim_distance(patch_moments(IMAGE), patch_moments(OTHER), 0.1, 0.2)[0, :, 5, 6]
    np.testing.assert_allclose(error.item(), every.mean().item())
