"""The self-supervised objective of both papers: photometric reprojection plus smoothness over four scales."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depth_node.config.training import LossConfig
from depth_node.geometry.disparity import disparity_to_depth
from depth_node.geometry.warp import warp_image
from depth_node.losses.photometric import PatchMoments, patch_moments, photometric_error
from depth_node.losses.reprojection import minimum_reprojection
from depth_node.losses.smoothness import smoothness_loss


@dataclass(frozen=True)
class LossTerms:
    """The objective and what it is made of, all scalars.

    Attributes:
        total: what is minimised.
        photometric: minimum reprojection error of the finest scale, without auto-mask: compare with `identity`.
        identity: the same error without any warp, the score of a network that has learnt nothing.
        smoothness: weighted smoothness summed over scales.
        moving: share of pixels that the auto-mask lets teach.
        distillation: mean difference to a teacher's log depth; 0 without a teacher.
    """

    total: Tensor
    photometric: Tensor
    identity: Tensor
    smoothness: Tensor
    moving: Tensor
    distillation: Tensor


class SelfSupervisedLoss(nn.Module):
    """Photometric, auto-masked, multi-scale objective (fact sheet A.4 and B.5)."""

    def __init__(self, config: LossConfig, min_depth: float, max_depth: float) -> None:
        super().__init__()
        self.config = config
        self.min_depth = min_depth
        self.max_depth = max_depth

    def forward(
        self, disparities: Sequence[Tensor], target: Tensor, sources: Tensor, K: Tensor, T_source_target: Tensor
    ) -> LossTerms:
        """Score predicted disparities and motions on one batch of triplets.

        Args:
            disparities: sigmoid disparities (B, 1, H / 2^i, W / 2^i), finest first.
            target: (B, 3, H, W) colours 0 to 1, not jittered.
            sources: (B, S, 3, H, W).
            K: (B, 3, 3) intrinsics at H x W.
            T_source_target: (B, S, 4, 4).
        """
        moments = patch_moments(target)
        identity = self._identity_error(moments, sources)
        reprojection, smoothness, moving = [], [], []
        finest = identity
        for level, disparity in enumerate(disparities):
            errors = self._warped_error(disparity, moments, sources, K, T_source_target)
            finest = errors.detach() if level == 0 else finest
            result = minimum_reprojection(errors, identity if self.config.auto_mask else None)
            reprojection.append(result.error.mean())
            moving.append(result.moving.float().mean())
            smoothness.append(smoothness_loss(disparity, _shrink(target, disparity)) / 2**level)
        photometric_total = torch.stack(reprojection).mean()
        smoothness_total = self.config.smoothness * torch.stack(smoothness).mean()

        return LossTerms(
            total=photometric_total + smoothness_total,
            photometric=finest.amin(1).mean(),
            identity=identity.amin(1).mean(),
            smoothness=smoothness_total.detach(),
            moving=moving[0],
            distillation=torch.zeros_like(moving[0]),
        )

    def _identity_error(self, target: PatchMoments, sources: Tensor) -> Tensor:
        with torch.no_grad():
            errors = [photometric_error(source, target, self.config.ssim) for source in sources.unbind(1)]
        return torch.cat(errors, 1)

    def _warped_error(
        self, disparity: Tensor, target: PatchMoments, sources: Tensor, K: Tensor, T_source_target: Tensor
    ) -> Tensor:
        size = target.image.shape[-2:]
        if disparity.shape[-2:] != size:
            disparity = F.interpolate(disparity, size, mode="bilinear", align_corners=False)
        depth = disparity_to_depth(disparity, self.min_depth, self.max_depth)
        errors = [
            photometric_error(warp_image(source, depth, K, T, self.config.padding), target, self.config.ssim)
            for source, T in zip(sources.unbind(1), T_source_target.unbind(1), strict=True)
        ]
        return torch.cat(errors, 1)


def _shrink(image: Tensor, like: Tensor) -> Tensor:
    """The image at the size of `like`; area-averaged, as a colour pyramid is."""
    factor = image.shape[-1] // like.shape[-1]
    return image if factor == 1 else F.avg_pool2d(image, factor)
