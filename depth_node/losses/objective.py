# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The self-supervised objective of both papers: photometric reprojection plus smoothness over several scales."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from depth_node.config.training import LossConfig
from depth_node.geometry.disparity import disparity_to_depth, inverse_depth_range
from depth_node.geometry.warp import Projection, sample, warp_image
from depth_node.losses.photometric import PatchMoments, patch_moments, photometric_error
from depth_node.losses.reprojection import combine, minimum_reprojection
from depth_node.losses.smoothness import smoothness_loss

Noise = Callable[[Tensor], Tensor]
"""Standard normal numbers in the shape, and on the device, of a tensor."""


@dataclass(frozen=True)
class LossTerms:
    """The objective and what it is made of, all scalars.

    Attributes:
        total: what is minimised.
        photometric: minimum reprojection error of the finest scale, without auto-mask: compare with `identity`.
        identity: the same error without any warp, the score of a network that has learnt nothing.
        smoothness: weighted smoothness summed over scales.
        moving: share of pixels that the auto-mask lets teach.
        distillation: mean difference to a teacher's depth; 0 without a teacher.
        velocity: mean difference to the driven distance, m; 0 where that is not asked for.
        camera_height: mean relative difference to the camera's height; 0 where that is not asked for.
        zoom: mean difference of an enlarged part to the whole, in logarithms; 0 where that is not asked for.
    """

    total: Tensor
    photometric: Tensor
    identity: Tensor
    smoothness: Tensor
    moving: Tensor
    distillation: Tensor
    velocity: Tensor
    camera_height: Tensor
    zoom: Tensor

    def stacked(self) -> Tensor:
        """All terms in the order of their declaration, without gradients: (N,)."""
        return torch.stack([getattr(self, field.name).detach() for field in fields(self)])


class SelfSupervisedLoss(nn.Module):
    """Photometric, auto-masked, multi-scale objective (docs/papers.md, Loss)."""

    def __init__(self, config: LossConfig, min_depth: float, max_depth: float) -> None:
        super().__init__()
        self.config = config
        self.min_depth = min_depth
        self.max_depth = max_depth

    def forward(
        self,
        disparities: Sequence[Tensor],
        target: Tensor,
        sources: Tensor,
        K: Tensor,
        T_source_target: Tensor,
        ignore: Tensor | None = None,
        noise: Noise = torch.randn_like,
    ) -> LossTerms:
        """Score predicted disparities and motions on one batch of triplets.

        Args:
            disparities: sigmoid disparities (B, 1, H / 2^i, W / 2^i), finest first.
            target: (B, 3, H, W) colours 0 to 1, not jittered.
            sources: (B, S, 3, H, W).
            K: (B, 3, 3) intrinsics at H x W.
            T_source_target: (B, S, 4, 4).
            ignore: (B, 1, H, W) bool, pixels that are left out of the photometric terms.
            noise: draws the auto-mask's tie-break.
        """
        moments = patch_moments(target)
        identity = self._identity_error(moments, sources)
        projections = [Projection.between(K, T, *target.shape[-2:]) for T in T_source_target.unbind(1)]
        reprojection, smoothness, moving = [], [], []
        finest = identity
        for level, disparity in enumerate(disparities):
            full = self._upsample(disparity, target)
            errors = self._warped_error(full, moments, sources, projections)
            finest = errors.detach() if level == 0 else finest
            result = minimum_reprojection(errors, self._still(identity, noise), self._minimum)
            reprojection.append(mean_over(result.error, ignore))
            moving.append(mean_over(result.moving.float(), ignore))
            smoothness.append(
                self._smoothness(disparity if self.config.smoothness_size == "own" else full, target)
                / self.config.smoothness_falloff**level
            )
        photometric_total = torch.stack(reprojection).mean()
        smoothness_total = self.config.smoothness * torch.stack(smoothness).mean()

        nothing = torch.zeros_like(moving[0])
        return LossTerms(
            total=photometric_total + smoothness_total,
            photometric=mean_over(combine(finest, self._minimum), ignore),
            identity=mean_over(combine(identity, self._minimum), ignore),
            smoothness=smoothness_total.detach(),
            moving=moving[0],
            distillation=nothing,
            velocity=nothing,
            camera_height=nothing,
            zoom=nothing,
        )

    @torch.no_grad()
    def views(
        self, disparity: Tensor, target: Tensor, sources: Tensor, K: Tensor, T_source_target: Tensor
    ) -> tuple[Tensor, Tensor]:
        """What the objective sees, for people; arguments as `forward`, of the finest scale.

        Returns:
            (B, 3, H, W) the target as the source that explains a pixel best has it, and (B, 1, H, W) bool, which
            pixels teach.
        """
        moments = patch_moments(target)
        depth = disparity_to_depth(self._upsample(disparity, target), self.min_depth, self.max_depth)
        warped = [
            warp_image(source, depth, K, T, self.config.padding)
            for source, T in zip(sources.unbind(1), T_source_target.unbind(1), strict=True)
        ]
        errors = torch.cat([self._photometric(image, moments) for image in warped], 1)
        best = errors.argmin(1, keepdim=True)[:, :, None].expand(-1, -1, 3, -1, -1)
        identity = self._identity_error(moments, sources) if self.config.auto_mask else None
        taught = minimum_reprojection(errors, identity, self._minimum).moving
        return torch.stack(warped, 1).gather(1, best)[:, 0], taught

    @property
    def _minimum(self) -> bool:
        return self.config.sources == "minimum"

    def _still(self, identity: Tensor, noise: Noise) -> Tensor | None:
        if not self.config.auto_mask:
            return None
        return identity + self.config.tie_break * noise(identity) if self.config.tie_break else identity

    def _identity_error(self, target: PatchMoments, sources: Tensor) -> Tensor:
        with torch.no_grad():
            return torch.cat([self._photometric(source, target) for source in sources.unbind(1)], 1)

    def _warped_error(
        self, disparity: Tensor, target: PatchMoments, sources: Tensor, projections: Sequence[Projection]
    ) -> Tensor:
        depth = disparity_to_depth(disparity, self.min_depth, self.max_depth)
        errors = [
            self._photometric(sample(source, projection.pixels(depth), self.config.padding), target)
            for source, projection in zip(sources.unbind(1), projections, strict=True)
        ]
        return torch.cat(errors, 1)

    def _photometric(self, image: Tensor, target: PatchMoments) -> Tensor:
        return photometric_error(image, target, self.config.ssim, self.config.ssim_c1, self.config.ssim_c2)

    def _upsample(self, disparity: Tensor, target: Tensor) -> Tensor:
        # Inverse depth is linear in disparity: it does not matter which of the two is upsampled.
        size = target.shape[-2:]
        if disparity.shape[-2:] == size:
            return disparity
        if self.config.upsampling == "nearest":
            return F.interpolate(disparity, size, mode="nearest")
        return F.interpolate(disparity, size, mode="bilinear", align_corners=False)

    def _smoothness(self, disparity: Tensor, target: Tensor) -> Tensor:
        if self.config.smoothness_of == "inverse_depth":
            far, span = inverse_depth_range(self.min_depth, self.max_depth)
            disparity = far + span * disparity
        return smoothness_loss(disparity, _shrink(target, disparity))


def mean_over(values: Tensor, ignore: Tensor | None) -> Tensor:
    """Mean of (B, 1, H, W) values without those that `ignore` (B, 1, H, W) marks; 0 for an image marked all over."""
    if ignore is None:
        return values.mean()
    # Image by image, so that a batch may be shared among processes.
    kept = (~ignore).flatten(1)
    return ((values.flatten(1) * kept).sum(1) / kept.sum(1).clamp_min(1)).mean()


def _shrink(image: Tensor, like: Tensor) -> Tensor:
    """The image at the size of `like`; area-averaged, as a colour pyramid is."""
    factor = image.shape[-1] // like.shape[-1]
    return image if factor == 1 else F.avg_pool2d(image, factor)
