# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Camera motion between neighbouring frames, needed only in training.

Both networks return T_source_target: it maps points of the target camera into each source camera.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from depth_node.geometry.pose import invert_transform, transform_from_axis_angle, transform_from_euler
from depth_node.networks.encoders import ResNetEncoder
from depth_node.networks.layers import clear_bias

MOTION_SCALE = 0.01
"""Motions are predicted in hundredths, so that training starts from almost none."""


class PoseNetwork(nn.Module):
    """Base of the pose networks."""

    def forward(self, target: Tensor, sources: Tensor, offsets: Sequence[int] = (-1, 1)) -> Tensor:
        """Motion from the target to each source.

        Args:
            target: (B, 3, H, W) RGB in [0, 1].
            sources: (B, S, 3, H, W) RGB in [0, 1].
            offsets: frame index of each source relative to the target, S of them.

        Returns:
            (B, S, 4, 4) T_source_target, translation in network units.

        Raises:
            ValueError: the number of sources does not fit the offsets or the network.
        """
        raise NotImplementedError


class ResNetPose(PoseNetwork):
    """monodepth2's pose network: a ResNet over two frames in temporal order (docs/papers.md, Pose networks).

    For a source before the target the network sees (source, target) and its answer is inverted, so that it
    only ever learns to move forward in time. All pairs go through in one batch.
    """

    WIDTH = 256

    def __init__(self, pretrained: bool = False, depth: int = 18):
        """Build it with 18 or 50 layers, and with ImageNet weights where they are wanted and can be had."""
        super().__init__()
        self.depth = depth
        self.encoder = ResNetEncoder(depth, images=2, pretrained=pretrained, taps=(4,))
        self.head = nn.Sequential(
            nn.Conv2d(self.encoder.channels[-1], self.WIDTH, 1),
            nn.ReLU(),
            nn.Conv2d(self.WIDTH, self.WIDTH, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(self.WIDTH, self.WIDTH, 3, padding=1),
            nn.ReLU(),
            # Two motions of six numbers as in the authors' weights; only the first is used.
            nn.Conv2d(self.WIDTH, 12, 1),
        )

    def forward(self, target: Tensor, sources: Tensor, offsets: Sequence[int] = (-1, 1)) -> Tensor:
        """See `PoseNetwork.forward`."""
        _check_sources(sources, len(offsets))
        frames = sources.unbind(1)
        ordered = [(s, target) if offset < 0 else (target, s) for s, offset in zip(frames, offsets, strict=True)]
        pairs = torch.cat([torch.cat(pair, 1) for pair in ordered])
        answers = self.head(self.encoder(pairs)[-1])
        with torch.autocast(target.device.type, enabled=False):  # half precision would turn curves by up to 0.2 pixels
            motion = MOTION_SCALE * answers.float().mean((2, 3))
            transforms = transform_from_axis_angle(motion[:, :3], motion[:, 3:6]).chunk(len(offsets))
            directed = [invert_transform(T) if o < 0 else T for T, o in zip(transforms, offsets, strict=True)]
            return torch.stack(directed, 1)


class PoseNet(PoseNetwork):
    """TRI's pose network: target and all sources in one stack, Euler angles out (docs/papers.md, Pose networks)."""

    CHANNELS = (16, 32, 64, 128, 256, 256, 256)
    KERNELS = (7, 5, 3, 3, 3, 3, 3)
    GROUPS = 16

    def __init__(self, sources: int = 2):
        """Build it for a fixed number of source frames."""
        super().__init__()
        self.sources = sources
        inputs = (3 * (1 + sources), *self.CHANNELS)
        self.stages = nn.Sequential(
            *(
                nn.Sequential(nn.Conv2d(i, o, k, stride=2, padding=k // 2), nn.GroupNorm(self.GROUPS, o), nn.ReLU())
                for i, o, k in zip(inputs, self.CHANNELS, self.KERNELS, strict=False)
            )
        )
        self.head = nn.Conv2d(self.CHANNELS[-1], 6 * sources, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.xavier_uniform_(module.weight)
                clear_bias(module)

    def forward(self, target: Tensor, sources: Tensor, offsets: Sequence[int] = (-1, 1)) -> Tensor:
        """See `PoseNetwork.forward`; the offsets' order must stay that of training."""
        _check_sources(sources, len(offsets))
        if len(offsets) != self.sources:
            raise ValueError(f"PoseNet was built for {self.sources} sources but got {len(offsets)}")
        stacked = torch.cat([target, *sources.unbind(1)], 1)
        answers = self.head(self.stages(stacked))
        with torch.autocast(target.device.type, enabled=False):  # see ResNetPose
            motion = (MOTION_SCALE * answers.float().mean((2, 3))).reshape(-1, self.sources, 6)
            return transform_from_euler(motion[..., 3:], motion[..., :3])


def _check_sources(sources: Tensor, expected: int) -> None:
    if sources.shape[1] != expected:
        raise ValueError(f"{sources.shape[1]} source frames but {expected} offsets")
