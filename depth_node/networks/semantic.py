# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""The semantic network: RGB to feature maps that guide a depth network, and to class scores, in one pass.

Networks of segmentation_models_pytorch behind one small interface. Images are normalised here, with the encoder's own
ImageNet mean and standard deviation.
"""

from __future__ import annotations

import hashlib
import warnings
from typing import Any, NamedTuple

import timm
import torch
from torch import Tensor, nn

from depth_node.config.classes import ClassMap
from depth_node.config.semantic import SemanticConfig
from depth_node.errors import ConfigError, first_line
from depth_node.networks.class_scores import best_classes
from depth_node.networks.semantic_weights import TIMM, load_imagenet, segmentation_models

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MAPS = 4
STRIDE = 32
"""Heights and widths of images are multiples of it."""


class SemanticOutput(NamedTuple):
    """What a semantic network makes of B images of H x W pixels.

    Attributes:
        maps: (B, channels[i], H / 2^(i+2), W / 2^(i+2)), finest first.
        logits: (B, N, H / 4, W / 4) float32, one score per class.
    """

    maps: list[Tensor]
    logits: Tensor


class SemanticNetwork(nn.Module):
    """FPN or SegFormer with its classes.

    The maps of an FPN are its pyramid levels p2 to p5; those of a SegFormer the four maps of its encoder.

    Attributes:
        config: what it is made of.
        classes: what its scores stand for.
        channels: channels of its four maps, finest first.
        pretrained: whether the encoder started from ImageNet weights.
        frozen: whether `freeze` was called.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: SemanticConfig, classes: ClassMap, pretrained: bool = False) -> None:
        """Build it.

        Args:
            config: architecture and sizes.
            classes: one score per class.
            pretrained: start the encoder from ImageNet weights where they can be had; else one warning is logged.

        Raises:
            ConfigError: there is no such encoder, or it does not suit the architecture.
        """
        super().__init__()
        self.config, self.classes, self.frozen = config, classes, False
        self.model = _build(config, len(classes))
        self.pretrained = pretrained and load_imagenet(self.model.encoder, config.encoder)
        wide = (config.pyramid_channels,) * MAPS if config.architecture == "fpn" else self.model.encoder.out_channels
        self.channels = tuple(int(count) for count in wide[-MAPS:])
        for name, numbers in zip(("mean", "std"), _statistics(config.encoder), strict=True):
            self.register_buffer(name, torch.tensor(numbers).reshape(3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> SemanticOutput:
        """Maps and scores of (B, 3, H, W) RGB in [0, 1]; H and W are multiples of 32."""
        # Live use may have cast the weights to half precision.
        normal = ((image - self.mean) / self.std).to(next(self.parameters()).dtype)
        features = self.model.encoder(normal)
        if self.config.architecture == "fpn":
            maps, merged = self._pyramid(features[-MAPS:])
        else:
            maps, merged = list(features[-MAPS:]), self.model.decoder(features)
        return SemanticOutput(maps, self.model.segmentation_head(merged).float())

    def _pyramid(self, features: list[Tensor]) -> tuple[list[Tensor], Tensor]:
        """Pyramid levels, finest first, and their sum at 1/4 after the segmentation branches."""
        decoder = self.model.decoder
        *finer, coarsest = features
        maps = [decoder.p5(coarsest)]
        for block, skip in zip((decoder.p4, decoder.p3, decoder.p2), reversed(finer), strict=True):
            maps.insert(0, block(maps[0], skip))
        branches = [branch(level) for branch, level in zip(decoder.seg_blocks, reversed(maps), strict=True)]
        return maps, decoder.dropout(decoder.merge(branches))

    def freeze(self) -> SemanticNetwork:
        """Stop learning for good: no gradients for its weights, and evaluation mode whatever `train` is told."""
        self.frozen = True
        self.requires_grad_(False)
        return self.eval()

    def train(self, mode: bool = True) -> SemanticNetwork:
        """Switch to training mode, unless frozen."""
        super().train(mode and not self.frozen)
        return self

    @staticmethod
    def labels(logits: Tensor, height: int, width: int) -> Tensor:
        """Most likely class of each pixel, (B, height, width) uint8, from (B, N, h, w) scores."""
        return best_classes(logits, height, width)


def fingerprint(network: nn.Module) -> str:
    """SHA-256 over names and bytes of all weights and statistics: equal exactly where networks are bit-equal."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _build(config: SemanticConfig, classes: int) -> Any:
    # Scores stay at 1/4 of the input: they are upsampled where labels are wanted.
    options: dict[str, Any] = {"encoder_weights": None, "classes": classes, "upsampling": 1}
    options["decoder_segmentation_channels"] = config.segmentation_channels
    if config.architecture == "fpn":
        options["decoder_pyramid_channels"] = config.pyramid_channels
    smp = segmentation_models()
    make = {"fpn": smp.FPN, "segformer": smp.Segformer}[config.architecture]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # hints about names of encoders, meant for developers
            return make(config.encoder, **options)
    except KeyError:
        known = ", ".join(sorted(smp.encoders.encoders))
        raise ConfigError(f"unknown encoder '{config.encoder}': use {TIMM}<timm model> or one of {known}") from None
    except Exception as error:  # timm raises whatever a model's own code comes across
        reason = first_line(error)
        raise ConfigError(f"encoder '{config.encoder}' cannot be used for {config.architecture}: {reason}") from None


def _statistics(encoder: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of the images that the encoder's published weights were trained on."""
    known = timm.get_pretrained_cfg(encoder.removeprefix(TIMM)) if encoder.startswith(TIMM) else None
    return (known.mean, known.std) if known else (IMAGENET_MEAN, IMAGENET_STD)
