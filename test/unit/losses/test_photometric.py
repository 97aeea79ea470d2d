import numpy as np
import torch
import torch.nn.functional as F

from depth_node.losses.photometric import C1, C2, patch_mean, patch_moments, photometric_error, ssim_distance

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


def test_gradient():
    target = patch_moments(OTHER[:1, :, :4, :5])
    prediction = IMAGE[:1, :, :4, :5].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda p: photometric_error(p, target), (prediction,), eps=1e-7, atol=1e-5)


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
