"""How a depth network is trained. Defaults are the recipe of monodepth2 and HR-Depth (fact sheet B.5, B.6)."""

from __future__ import annotations

from dataclasses import dataclass, field

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class LossConfig(Validated):
    """The self-supervised objective."""

    ssim: float = setting(0.85, "share of structural similarity in the photometric error", low=0.0, high=1.0)
    smoothness: float = setting(1e-3, "weight of edge-aware smoothness", low=0.0)
    auto_mask: bool = setting(True, "ignore pixels that match best without motion")
    padding: str = setting("border", "what a warp sees outside the source image", choices=("border", "zeros"))


@dataclass(frozen=True)
class AugmentConfig(Validated):
    """Random changes to training triplets; the loss sees the unjittered colours."""

    flip: float = setting(0.5, "probability of mirroring left to right", low=0.0, high=1.0)
    jitter: float = setting(0.5, "probability of colour jitter", low=0.0, high=1.0)
    brightness: float = setting(0.2, "largest relative change of brightness", low=0.0, high=1.0)
    contrast: float = setting(0.2, "largest relative change of contrast", low=0.0, high=1.0)
    saturation: float = setting(0.2, "largest relative change of saturation", low=0.0, high=1.0)
    hue: float = setting(0.1, "largest shift of hue, in turns", low=0.0, high=0.5)


@dataclass(frozen=True)
class DistillationConfig(Validated):
    """Learning from a teacher besides, or instead of, learning from motion."""

    teacher: str = setting("", "checkpoint of the teacher; empty learns from motion alone")
    weight: float = setting(1.0, "weight of the difference to the teacher's log depth", low=0.0)
    photometric: bool = setting(True, "also learn from motion; off learns from the teacher only, which is quicker")


@dataclass(frozen=True)
class TrainConfig(Validated):
    """The training loop."""

    batch_size: int = setting(12, "triplets per step", low=1)
    epochs: int = setting(20, "passes over the training split", low=1)
    steps: int = setting(0, "stop after this many steps; 0 trains all epochs", low=0)
    learning_rate: float = setting(1e-4, "Adam's learning rate", low=0.0, high=1.0)
    decay_at: float = setting(
        0.75, "share of the run after which the learning rate falls to a tenth", low=0.0, high=1.0
    )
    pretrained: bool = setting(True, "start the encoders from ImageNet weights when they can be downloaded")
    pose_shrink: int = setting(
        1, "shrink pictures by this factor for the pose network, which needs less detail", low=1, high=8
    )
    initial: str = setting("", "checkpoint whose weights to start from; empty starts afresh")
    initial_pose: str = setting("", "checkpoint to take only the pose network's first weights from; empty takes none")
    semantic: str = setting(
        "", "checkpoint with the frozen semantic network; empty takes the one in --initial, where it has one"
    )
    precision: str = setting(
        "auto", "arithmetic of the networks; losses are fp32", choices=("auto", "fp32", "bf16", "fp16")
    )
    device: str = setting("auto", "where to train", choices=("auto", "cpu", "cuda"))
    workers: int = setting(2, "processes that decode pictures; 0 decodes in the training process", low=0, high=64)
    seed: int = setting(42, "seed of weights, order and augmentation", low=0)
    log_every: int = setting(10, "steps between two lines in metrics.csv and TensorBoard", unit="steps", low=1)
    save_every: int = setting(200, "steps between two resumable checkpoints", unit="steps", low=1)
    loss: LossConfig = field(default_factory=LossConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
