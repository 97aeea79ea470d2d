# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
import torch
import torch.nn.functional as F

from depth_node.config.training import LossConfig
from depth_node.geometry.disparity import depth_to_disparity
from depth_node.geometry.pose import transform_from_axis_angle
from depth_node.geometry.warp import backproject
from depth_node.losses.objective import SelfSupervisedLoss
from depth_node.losses.smoothness import smoothness_loss

HEIGHT, WIDTH, DEPTH = 32, 64, 5.0
K = torch.tensor([[[40.0, 0.0, 31.5], [0.0, 40.0, 15.5], [0.0, 0.0, 1.0]]])


def wall(shift):
    """A textured wall at DEPTH seen by a camera moved to the right by `shift`."""
    points = backproject(torch.full((1, 1, HEIGHT, WIDTH), DEPTH), K) + torch.tensor([shift, 0.0, 0.0]).reshape(
        1, 3, 1, 1
    )
    x, y = points[:, :1], points[:, 1:2]
    return torch.cat([torch.sin(3 * x) * torch.cos(2 * y), torch.sin(2 * x + y), torch.cos(4 * y - x)], 1) * 0.4 + 0.5


def score(depth):
    loss = SelfSupervisedLoss(LossConfig(), 0.1, 100.0)
    sources = torch.stack([wall(-0.5), wall(0.5)], 1)
    motion = torch.stack(
        [transform_from_axis_angle(torch.zeros(1, 3), torch.tensor([[x, 0.0, 0.0]])) for x in (0.5, -0.5)], 1
    )
    disparity = depth_to_disparity(torch.tensor(depth), 0.1, 100.0)
    pyramid = [torch.full((1, 1, HEIGHT >> i, WIDTH >> i), float(disparity)) for i in range(4)]
    return loss(pyramid, wall(0.0), sources, K, motion)


def test_true_depth_explains_the_scene_and_beats_standing_still():
    torch.manual_seed(0)
    terms = score(DEPTH)
    assert terms.photometric < 0.03
    assert terms.identity > 5 * terms.photometric
    assert terms.moving > 0.9


def test_true_depth_is_the_best_of_several():
    torch.manual_seed(0)
    errors = {depth: float(score(depth).photometric) for depth in (2.0, 3.5, DEPTH, 8.0, 20.0)}
    assert min(errors, key=errors.get) == DEPTH


def test_auto_mask_can_be_switched_off():
    loss = SelfSupervisedLoss(LossConfig(auto_mask=False), 0.1, 100.0)
    image = wall(0.0)
    terms = loss([torch.full((1, 1, HEIGHT, WIDTH), 0.5)], image, image[:, None], K, torch.eye(4)[None, None])
    assert terms.moving == 1


SMOOTH = {"auto_mask": False, "smoothness": 1.0}
FAR, SPAN = 0.01, 9.99


def random_pyramid():
    generator = torch.Generator().manual_seed(1)
    return [torch.rand(1, 1, HEIGHT >> i, WIDTH >> i, generator=generator) for i in range(4)]


def terms_of(pyramid, **settings):
    torch.manual_seed(0)
    sources = torch.stack([wall(-0.5), wall(0.5)], 1)
    still = torch.eye(4).expand(1, 2, 4, 4)
    return SelfSupervisedLoss(LossConfig(**settings), 0.1, 100.0)(pyramid, wall(0.0), sources, K, still)


def test_smoothness_is_divided_per_scale_and_averaged():
    image, pyramid = wall(0.0), random_pyramid()
    each = [smoothness_loss(d, F.avg_pool2d(image, 2**i)) for i, d in enumerate(pyramid)]
    expected = sum(loss / 2**i for i, loss in enumerate(each)) / 4
    torch.testing.assert_close(terms_of(pyramid, **SMOOTH).smoothness, expected)
    flat = terms_of(pyramid, **SMOOTH, smoothness_falloff=1.0).smoothness
    torch.testing.assert_close(flat, sum(each) / 4)


def test_tri_smooths_inverse_depth_after_upsampling_to_the_nearest():
    image, pyramid = wall(0.0), random_pyramid()
    full = [F.interpolate(FAR + SPAN * disparity, (HEIGHT, WIDTH), mode="nearest") for disparity in pyramid]
    expected = sum(smoothness_loss(inverse, image) / 2**i for i, inverse in enumerate(full)) / 4
    tri = {"smoothness_of": "inverse_depth", "smoothness_size": "full", "upsampling": "nearest"}
    torch.testing.assert_close(terms_of(pyramid, **SMOOTH, **tri).smoothness, expected)


def moved_terms(pyramid, **settings):
    """Against one source, whose camera stood a long way to the left."""
    T = transform_from_axis_angle(torch.zeros(1, 3), torch.tensor([[1.0, 0.0, 0.0]]))[:, None]
    loss = SelfSupervisedLoss(LossConfig(auto_mask=False, **settings), 0.1, 100.0)
    return loss(pyramid, wall(0.0), wall(-1.0)[:, None], K, T)


def test_padding_decides_what_is_outside_a_source():
    wide = [torch.full((1, 1, HEIGHT, WIDTH), float(depth_to_disparity(torch.tensor(DEPTH), 0.1, 100.0)))]
    border, zeros = (moved_terms(wide, padding=padding).photometric for padding in ("border", "zeros"))
    assert zeros > 1.2 * border


def test_disparities_are_upsampled_as_asked():
    coarse = random_pyramid()[3:]
    for upsampling, options in (("bilinear", {"align_corners": False}), ("nearest", {})):
        full = [F.interpolate(coarse[0], (HEIGHT, WIDTH), mode=upsampling, **options)]
        torch.testing.assert_close(
            moved_terms(coarse, upsampling=upsampling).photometric, moved_terms(full).photometric
        )


def test_only_the_asked_scales_are_scored():
    pyramid = random_pyramid()
    one = terms_of(pyramid[:1], auto_mask=False)
    assert one.total != terms_of(pyramid, auto_mask=False).total
    torch.testing.assert_close(one.total, one.photometric + one.smoothness)


def test_without_tie_break_a_still_scene_teaches_nothing():
    # A camera that does not move over a picture that does not change: every warp equals its source.
    image, pyramid = wall(0.0), [torch.full((1, 1, HEIGHT, WIDTH), 0.5)]
    still = torch.eye(4)[None, None]
    shares = {}
    for noise in (0.0, 1e-2):
        torch.manual_seed(0)
        loss = SelfSupervisedLoss(LossConfig(tie_break=noise), 0.1, 100.0)
        shares[noise] = float(loss(pyramid, image, image[:, None], K, still).moving)
    assert shares[0.0] < 0.1
    assert 0.3 < shares[1e-2] < 0.7


def test_ignored_pixels_do_not_count():
    disparity = depth_to_disparity(torch.tensor(DEPTH), 0.1, 100.0)
    pyramid = [torch.full((1, 1, HEIGHT, WIDTH), float(disparity))]
    motion = transform_from_axis_angle(torch.zeros(1, 3), torch.tensor([[0.5, 0.0, 0.0]]))[:, None]
    source = wall(-0.5)
    source[..., :12, 20:40] = 0.0  # something that moved on its own
    ignore = torch.zeros(1, 1, HEIGHT, WIDTH, dtype=torch.bool)
    ignore[..., :16, 10:50] = True
    loss = SelfSupervisedLoss(LossConfig(), 0.1, 100.0)
    seen, masked = (loss(pyramid, wall(0.0), source[:, None], K, motion, mask) for mask in (None, ignore))
    assert masked.photometric < 0.5 * seen.photometric
    nothing = loss(pyramid, wall(0.0), source[:, None], K, motion, torch.ones_like(ignore))
    assert nothing.photometric == 0
    assert nothing.total.isfinite()


def test_views_show_the_warp_that_explains_best_and_what_teaches():
    """The camera moved to the right; the other source, noise, explains nothing. Without motion nothing teaches."""
    target, moved, noise = wall(0.0), wall(0.5), torch.rand(1, 3, HEIGHT, WIDTH)
    T = torch.eye(4).repeat(1, 2, 1, 1)
    T[:, 0, 0, 3] = -0.5
    objective = SelfSupervisedLoss(LossConfig(), 0.1, 100.0)
    disparity = depth_to_disparity(torch.full((1, 1, HEIGHT, WIDTH), DEPTH), 0.1, 100.0)
    warped, taught = objective.views(disparity, target, torch.stack([moved, noise], 1), K, T)
    inside = (slice(None), slice(None), slice(2, -2), slice(8, -8))
    torch.testing.assert_close(warped[inside], target[inside], atol=0.02, rtol=0)
    assert taught[inside].float().mean() > 0.95
    still = objective.views(disparity, target, torch.stack([target, target], 1), K, torch.eye(4).repeat(1, 2, 1, 1))[1]
    assert not still[inside].any()
