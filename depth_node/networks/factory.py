"""Networks by name: the only place that maps a configuration to modules."""

from __future__ import annotations

import dataclasses

from torch import Tensor, nn

from depth_node.config.network import NetworkConfig
from depth_node.networks.decoders import SCALES, HRDepthDecoder, Monodepth2Decoder
from depth_node.networks.encoders import Encoder, MobileNetV3Encoder, ResNetEncoder
from depth_node.networks.pose import PoseNet, PoseNetwork, ResNetPose


class DepthNetwork(nn.Module):
    """An encoder and a decoder: one RGB image to disparities.

    Attributes:
        config: what it takes to build this network again. It differs from the configuration asked for where
            ImageNet weights decide the order of MobileNetV3's operations, so store this one.
    """

    def __init__(self, config: NetworkConfig, encoder: Encoder, decoder: nn.Module):
        """Join the two halves of a network."""
        super().__init__()
        self.config = config
        self.encoder = encoder
        self.decoder = decoder

    @property
    def pretrained(self) -> bool:
        """Whether the encoder started from ImageNet weights."""
        return self.encoder.pretrained

    def forward(self, image: Tensor, scales: int = SCALES) -> list[Tensor]:
        """Disparities of an image, finest first.

        Args:
            image: (B, 3, H, W) RGB in [0, 1], H and W multiples of 32.
            scales: how many to compute, 1 to 4; live use needs only the finest.

        Returns:
            `scales` maps (B, 1, H / 2^i, W / 2^i) in (0, 1), float32; 1 is `min_depth`, 0 is `max_depth`.
        """
        return self.decoder(self.encoder(image), scales)


def build_depth_network(
    config: NetworkConfig, pretrained: bool = False, dead_convolutions: bool = False
) -> DepthNetwork:
    """Build the depth network that a configuration names.

    Args:
        config: architecture and its options.
        pretrained: start the encoder from ImageNet weights, or log one warning where they cannot be had.
        dead_convolutions: see `HRDepthDecoder`; the other decoders have none.

    Returns:
        The network, in training mode, float32, on the CPU.
    """
    encoder: Encoder
    if config.architecture == "lite_hr_depth":
        encoder = MobileNetV3Encoder(pretrained, config.timm_se_order)
        config = dataclasses.replace(config, timm_se_order=encoder.timm_se_order)
    else:
        encoder = ResNetEncoder(50 if config.architecture.endswith("resnet50") else 18, pretrained=pretrained)
    if config.architecture.startswith("monodepth2"):
        return DepthNetwork(config, encoder, Monodepth2Decoder(encoder.channels))
    squeeze = config.architecture == "hr_depth_resnet18"
    return DepthNetwork(config, encoder, HRDepthDecoder(encoder.channels, squeeze, dead_convolutions))


def build_pose_network(config: NetworkConfig, pretrained: bool = False) -> PoseNetwork:
    """Build the pose network that a configuration names; `pretrained` as in `build_depth_network`."""
    return PoseNet() if config.pose == "posenet" else ResNetPose(pretrained)
