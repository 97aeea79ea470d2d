# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How a network learns from simulated streets with exact depth, before any video."""

from __future__ import annotations

from dataclasses import dataclass, field

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class WorldsConfig(Validated):
    """Which streets are drawn, and how many of their frames are kept at hand."""

    width: int = setting(640, "width of the rendered pictures, of which parts are seen", unit="px", low=96, high=4096)
    height: int = setting(
        400,
        "height of the rendered pictures: tall ones have pictures of any shape in them",
        unit="px",
        low=64,
        high=3072,
    )
    frames: int = setting(24, "frames of each street", low=1, high=1000)
    first: int = setting(100_000, "number of the first street; every number is another street", low=0, high=2**30)
    pool: int = setting(1500, "frames kept in memory; the oldest make room for new ones", low=1)
    start: int = setting(400, "frames that are rendered before the first step", low=1)
    per_step: float = setting(1.0, "new frames per step until all streets are used up", low=0.0)
    streets: int = setting(200, "streets to draw from in all", low=1, high=2**20)
    workers: int = setting(0, "rendering processes, 0 for one per core; never changes the result", low=0, high=256)


@dataclass(frozen=True)
class LooksConfig(Validated):
    """Random changes of what the network sees of a street."""

    crop: float = setting(0.55, "smallest share of the rendered width that is seen", low=0.1, high=1.0)
    squash: float = setting(
        2.3, "largest factor by which pictures are narrowed, as those of a higher sensor are", low=1, high=4
    )
    bars: float = setting(
        0.15,
        "share of pictures that are seen whole, with edges carried on at both sides, as the node pads a camera's of "
        "another shape",
        low=0.0,
        high=1.0,
    )
    roll: float = setting(3.0, "largest roll of the camera", unit="degrees", low=0.0, high=45.0)
    color: float = setting(0.35, "largest change of gains, gamma, contrast and saturation", low=0.0, high=1.0)
    grey: float = setting(0.1, "share of grey pictures", low=0.0, high=1.0)
    blur: float = setting(0.3, "share of pictures that lose detail", low=0.0, high=1.0)
    noise: float = setting(0.03, "largest standard deviation of noise, of full scale", low=0.0, high=1.0)


@dataclass(frozen=True)
class PretrainConfig(Validated):
    """The loop over streets, and over real video beside them where there is some."""

    steps: int = setting(4000, "steps of the depth network", low=1)
    initial: str = setting("", "checkpoint to start from, of any input size; with its semantic network where guided")
    pretrained: bool = setting(True, "start encoders from ImageNet weights, where these can be had")
    semantic_steps: int = setting(0, "steps of a semantic network before; 0 trains none", low=0)
    batch_size: int = setting(16, "pictures per step", low=1)
    learning_rate: float = setting(
        8e-4, "AdamW's highest rate; the cycle rises over its first tenth", low=0.0, high=1.0
    )
    encoder_rate: float = setting(2e-4, "the same for encoders that start from ImageNet weights", low=0.0, high=1.0)
    absolute: float = setting(0.2, "weight of each picture's mean of log depth", low=0.0)
    gradient: float = setting(0.5, "weight of log depth's gradients at four strides", low=0.0)
    video_from: float = setting(0.4, "share of the steps after which real video teaches too", low=0.0, high=1.0)
    video_weight: float = setting(1.0, "weight of the photometric objective of real video", low=0.0)
    ema: float = setting(
        0.99,
        "share of the old in a moving average of the weights, which is validated and saved; 0 averages nothing",
        low=0.0,
        high=0.99999,
    )
    precision: str = setting("auto", "arithmetic of the networks", choices=("auto", "fp32", "bf16"))
    device: str = setting("auto", "where to train", choices=("auto", "cpu", "cuda"))
    seed: int = setting(42, "seed of weights, order and looks", low=0, high=2**32 - 1)
    val_streets: int = setting(6, "streets before the first one to judge by, never learnt from", low=1, high=100)
    log_every: int = setting(25, "steps between two lines of metrics.csv", low=1)
    save_every: int = setting(250, "steps between two saves, and two validations", low=1)
    worlds: WorldsConfig = field(default_factory=WorldsConfig)
    looks: LooksConfig = field(default_factory=LooksConfig)
