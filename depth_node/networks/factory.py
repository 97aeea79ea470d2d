# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Networks by name: the only place that maps a configuration to modules."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from depth_node.config.network import SCALES, NetworkConfig
from depth_node.errors import ConfigError
from depth_node.networks.decoders import HRDepthDecoder, Monodepth2Decoder
from depth_node.networks.encoders import Encoder, MobileNetV3Encoder, ResNetEncoder, TimmEncoder
from depth_node.networks.guidance import Guidance
from depth_node.networks.packnet import PackNetDecoder, PackNetEncoder
from depth_node.networks.pose import PoseNet, PoseNetwork, ResNetPose


class DepthNetwork(nn.Module):
    """An encoder and a decoder: one RGB image to disparities; guided by semantic maps where it was built so.

    Attributes:
        config: what it takes to build this network again. It differs from the configuration asked for where
            ImageNet weights decide the order of MobileNetV3's operations, so store this one.
        guidance: what steers the decoder, or None.
    """

    def __init__(self, config: NetworkConfig, encoder: nn.Module, decoder: nn.Module, guidance: Guidance | None = None):
        """Join the parts of a network."""
        super().__init__()
        self.config = config
        self.encoder = encoder
        self.decoder = decoder
        self.guidance = guidance

    @property
    def pretrained(self) -> bool:
        """Whether the encoder started from ImageNet weights."""
        return bool(self.encoder.pretrained)

    def forward(
        self, image: Tensor, scales: int = SCALES, semantic_maps: Sequence[Tensor] | None = None
    ) -> list[Tensor]:
        """Disparities of an image, finest first.

        Args:
            image: (B, 3, H, W) RGB in [0, 1], H and W multiples of 32.
            scales: how many to compute, 1 to 4; live use needs only the finest.
            semantic_maps: the frozen semantic network's maps of the same image at 1/4, 1/8, 1/16 and 1/32;
                a network without guidance takes no notice of them.

        Returns:
            `scales` maps (B, 1, H / 2^i, W / 2^i) in (0, 1), float32; 1 is `min_depth`, 0 is `max_depth`.

        Raises:
            ValueError: the network is guided and there are no semantic maps.
        """
        maps = self.encoder(image)
        if self.guidance is None:
            return self.decoder(maps, scales)
        if semantic_maps is None:
            raise ValueError("this depth network is guided: give it the semantic network's maps of the image")
        return self.decoder(maps, scales, self.guidance.refiner(semantic_maps))


def build_depth_network(
    config: NetworkConfig,
    pretrained: bool = False,
    dead_convolutions: bool = False,
    semantic_channels: Sequence[int] = (),
) -> DepthNetwork:
    """Build the depth network that a configuration names.

    Args:
        config: architecture and its options.
        pretrained: start the encoder from ImageNet weights, or log one warning where they cannot be had.
        dead_convolutions: see `HRDepthDecoder`; the other decoders have none.
        semantic_channels: channels of the semantic network's maps; needed where `config.guided`.

    Returns:
        The network, in training mode, float32, on the CPU.

    Raises:
        ConfigError: guidance is asked for without a semantic network.
    """
    encoder, decoder = _halves(config, pretrained, dead_convolutions)
    if isinstance(encoder, MobileNetV3Encoder):
        config = dataclasses.replace(config, timm_se_order=encoder.timm_se_order)
    if not config.guided:
        return DepthNetwork(config, encoder, decoder)
    if not semantic_channels:
        raise ConfigError("a guided depth network needs a semantic network: name its checkpoint with --semantic")
    # PackNet normalises every layer; the ResNet decoders none.
    normalise = config.architecture == "packnet01"
    return DepthNetwork(
        config, encoder, decoder, Guidance(config.guidance, semantic_channels, decoder.level_channels, normalise)
    )


def _halves(config: NetworkConfig, pretrained: bool, dead_convolutions: bool) -> tuple[nn.Module, Any]:
    encoder: Encoder
    if config.architecture == "packnet01":
        whole = PackNetEncoder()
        return whole, PackNetDecoder(whole.channels)
    if config.encoder:
        encoder = TimmEncoder(config.encoder, pretrained)
    elif config.architecture == "lite_hr_depth":
        encoder = MobileNetV3Encoder(pretrained, config.timm_se_order)
    else:
        encoder = ResNetEncoder(50 if config.architecture.endswith("resnet50") else 18, pretrained=pretrained)
    if config.architecture.startswith("monodepth2"):
        return encoder, Monodepth2Decoder(encoder.channels)
    squeeze = config.architecture == "hr_depth_resnet18"
    return encoder, HRDepthDecoder(encoder.channels, squeeze, dead_convolutions)


def build_pose_network(config: NetworkConfig, pretrained: bool = False) -> PoseNetwork:
    """Build the pose network that a configuration names; `pretrained` as in `build_depth_network`."""
    if config.pose == "posenet":
        return PoseNet()
    return ResNetPose(pretrained, depth=50 if config.pose.endswith("resnet50") else 18)
