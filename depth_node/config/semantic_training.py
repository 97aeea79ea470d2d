# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How a semantic network is trained on labelled pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

from depth_node.config.setting import Validated, setting
from depth_node.config.training import AugmentConfig
from depth_node.errors import ConfigError

STRIDE = 32


@dataclass(frozen=True)
class SemanticTrainConfig(Validated):
    """The training loop of a semantic network."""

    height: int = setting(192, "height that pictures are brought to, a multiple of 32", unit="px", low=64, high=2048)
    width: int = setting(640, "width that pictures are brought to, a multiple of 32", unit="px", low=64, high=4096)
    smallest: float = setting(0.5, "smallest random scale; smaller pictures stay smaller", low=0.25, high=1.0)
    largest: float = setting(1.5, "largest random scale; larger pictures are cropped", low=1.0, high=4.0)
    batch_size: int = setting(8, "pictures per step", low=1)
    epochs: int = setting(40, "passes over the training pictures", low=1)
    steps: int = setting(0, "stop after this many steps; 0 trains all epochs", low=0)
    learning_rate: float = setting(5e-4, "AdamW's learning rate at the start", low=0.0, high=1.0)
    decay: str = setting("poly", "how the learning rate falls to nothing", choices=("poly", "cosine"))
    weight_decay: float = setting(1e-4, "AdamW's weight decay", low=0.0, high=1.0)
    class_weights: str = setting(
        "none",
        "weight of a class: all equal, or higher the rarer it is (1 / log(1.02 + share))",
        choices=("none", "log"),
    )
    pixels: int = setting(
        0, "pixels per picture that the loss looks at, drawn at random; 0 takes all", unit="px", low=0
    )
    val_fraction: float = setting(0.1, "share of each folder, its end, that validates", low=0.0, high=0.9)
    pretrained: bool = setting(True, "start the encoder from ImageNet weights when they can be downloaded")
    initial: str = setting("", "semantic checkpoint whose weights to start from; empty starts afresh")
    precision: str = setting(
        "auto", "arithmetic of the network; the loss is fp32", choices=("auto", "fp32", "bf16", "fp16")
    )
    device: str = setting("auto", "where to train", choices=("auto", "cpu", "cuda"))
    workers: int = setting(2, "processes that decode pictures; 0 decodes in the training process", low=0, high=64)
    seed: int = setting(42, "seed of weights, order and augmentation", low=0, high=2**32 - 1)
    log_every: int = setting(10, "steps between two lines in metrics.csv and TensorBoard", unit="steps", low=1)
    save_every: int = setting(200, "steps between two validations and resumable checkpoints", unit="steps", low=1)
    augment: AugmentConfig = field(default_factory=AugmentConfig)

    def __post_init__(self) -> None:
        """Check bounds and divisibility; raises ConfigError."""
        super().__post_init__()
        if self.height % STRIDE or self.width % STRIDE:
            raise ConfigError(f"size {self.width}x{self.height} is not a multiple of {STRIDE}")
