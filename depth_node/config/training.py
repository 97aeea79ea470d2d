# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""How a depth network is trained; defaults are monodepth2's and HR-Depth's (docs/papers.md, Training settings)."""

from __future__ import annotations

from dataclasses import dataclass, field

from depth_node.config.setting import Validated, setting


@dataclass(frozen=True)
class LossConfig(Validated):
    """The self-supervised objective."""

    ssim: float = setting(0.85, "share of structural similarity in the photometric error", low=0.0, high=1.0)
    ssim_c1: float = setting(1e-4, "SSIM's constant beside the means", low=1e-9)
    ssim_c2: float = setting(9e-4, "SSIM's constant beside the variances", low=1e-9)
    sources: str = setting(
        "minimum", "what a pixel takes of its errors against several sources", choices=("minimum", "mean")
    )
    auto_mask: bool = setting(True, "ignore pixels that match best without motion")
    tie_break: float = setting(
        1e-5, "standard deviation of the noise on errors without motion: monodepth2 1e-5, TRI 0", low=0.0
    )
    padding: str = setting(
        "border", "what a warp sees outside the source image: monodepth2 border, TRI zeros", choices=("border", "zeros")
    )
    scales: int = setting(4, "sizes of disparity that are scored, from the finest", low=1, high=4)
    upsampling: str = setting(
        "bilinear",
        "how disparities come to full size for warping: monodepth2 bilinear, TRI nearest",
        choices=("bilinear", "nearest"),
    )
    smoothness: float = setting(1e-3, "weight of edge-aware smoothness", low=0.0)
    smoothness_of: str = setting(
        "disparity",
        "what is to be smooth, divided by its mean: monodepth2 the disparity, TRI the inverse depth",
        choices=("disparity", "inverse_depth"),
    )
    smoothness_size: str = setting(
        "own", "size at which it is: monodepth2 each scale's own, TRI full after upsampling", choices=("own", "full")
    )
    smoothness_falloff: float = setting(2.0, "scale i's smoothness is divided by this to the power of i", low=1.0)
    mask_moving: bool = setting(
        False, "leave out pixels of classes that move on their own (ours, in neither paper; needs a semantic network)"
    )
    velocity: float = setting(
        0.0,
        "weight of the difference between predicted and driven distance, makes depth metric; TRI's VelSup 0.1",
        low=0.0,
    )
    camera_height: float = setting(
        0.0,
        "weight of the difference of the road's height under the camera from its usual height, makes depth metric by "
        "--camera_height and without any sensor; 0.1 does it",
        low=0.0,
    )
    zoom: float = setting(
        0.0,
        "weight of the difference of an enlarged part's depth from that of the whole (after RA-Depth), for other "
        "cameras and sizes; costs another pass of the depth network",
        low=0.0,
    )


@dataclass(frozen=True)
class AugmentConfig(Validated):
    """Random changes to training triplets; the loss sees the unjittered colours."""

    flip: float = setting(0.5, "probability of mirroring left to right", low=0.0, high=1.0)
    flip_depth_only: bool = setting(
        False, "mirror what the depth network sees, and its answer back (TRI), not the whole triplet (monodepth2)"
    )
    zoom: float = setting(2.0, "largest enlargement of a part, for --loss.zoom", low=1.0, high=4.0)
    jitter: float = setting(0.5, "probability of colour jitter", low=0.0, high=1.0)
    brightness: float = setting(0.2, "largest relative change of brightness", low=0.0, high=1.0)
    contrast: float = setting(0.2, "largest relative change of contrast", low=0.0, high=1.0)
    saturation: float = setting(0.2, "largest relative change of saturation", low=0.0, high=1.0)
    hue: float = setting(0.1, "largest shift of hue, in turns", low=0.0, high=0.5)


@dataclass(frozen=True)
class DistillationConfig(Validated):
    """Learning from a teacher besides, or instead of, learning from motion."""

    teacher: str = setting("", "checkpoint of the teacher; empty learns from motion alone")
    labels: str = setting(
        "", "folder of labels that a teacher wrote (`depth distill --teacher hf:...` writes and names it)"
    )
    drop: float = setting(
        0.1, "share of the pixels that is left out where labels fit worst: there they may be wrong", low=0.0, high=0.9
    )
    weight: float = setting(1.0, "weight of the difference to the teacher", low=0.0)
    compare: str = setting(
        "log_depth",
        "where the difference is taken: the logarithm of depth weighs near and far alike, disparity weighs near more",
        choices=("log_depth", "disparity"),
    )
    photometric: bool = setting(True, "also learn from motion; off learns from the teacher only, which is quicker")


@dataclass(frozen=True)
class TrainConfig(Validated):
    """The training loop."""

    batch_size: int = setting(12, "triplets per step, of all processes together", low=1)
    epochs: int = setting(20, "passes over the training split", low=1)
    steps: int = setting(0, "stop after this many steps; 0 trains all epochs", low=0)
    learning_rate: float = setting(1e-4, "Adam's learning rate", low=0.0, high=1.0)
    pose_learning_rate: float = setting(
        0.0, "Adam's learning rate of the pose network; 0 takes --learning_rate", low=0.0, high=1.0
    )
    intrinsics_learning_rate: float = setting(
        2e-3, "Adam's learning rate of the focal length's logarithm, with --network.learn_intrinsics", low=0.0, high=1.0
    )
    decay_at: float = setting(0.75, "share of the run after which the learning rate falls", low=0.0, high=1.0)
    decay_factor: float = setting(0.1, "what the learning rate is multiplied by then", low=1e-6, high=1.0)
    decay_repeats: bool = setting(False, "let it fall again each time that share has passed, not once")
    clip_gradient: float = setting(0.0, "largest norm of all gradients together; 0 sets no limit", low=0.0)
    ema: float = setting(
        0.0,
        "share of the old in a moving average of the weights, which is validated and saved; 0 averages nothing",
        low=0.0,
        high=0.99999,
    )
    camera_height: float = setting(
        0.0,
        "how high the camera is above the road, for --loss.camera_height; KITTI's 1.65, 0 unknown",
        unit="m",
        low=0.0,
        high=100.0,
    )
    stereo: bool = setting(False, "learn from the other camera of a stereo pair too; frames without it are left out")
    pretrained: bool = setting(True, "start the encoders from ImageNet weights when they can be downloaded")
    pose_shrink: int = setting(
        1, "shrink pictures by this factor for the pose network, which needs less detail", low=1, high=8
    )
    pose_first: int = setting(
        0,
        "steps in which only the pose network learns, until it has caught up with a depth network that is good",
        low=0,
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
    cache: str = setting(
        "", "folder to keep resized pictures in, for this and any other run; empty decodes them again in each epoch"
    )
    sync_batch_norm: bool = setting(
        True, "normalise over the batches of all processes, so that how many there are makes no difference"
    )
    seed: int = setting(42, "seed of weights, order and augmentation", low=0, high=2**32 - 1)
    log_every: int = setting(10, "steps between two lines in metrics.csv and TensorBoard", unit="steps", low=1)
    save_every: int = setting(200, "steps between two resumable checkpoints", unit="steps", low=1)
    loss: LossConfig = field(default_factory=LossConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
