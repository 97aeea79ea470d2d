# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Learning from simulated streets with exact depth, and from real video beside them.

A network that has seen many streets through many cameras knows what lies where on a real road before it has seen one;
video then teaches what the simulation does not have.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from depth_node.atomic_file import clear_partial
from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth import CheckpointInfo, load_checkpoint, save_checkpoint
from depth_node.checkpoints.semantic import load_semantic, save_semantic
from depth_node.checkpoints.semantic_info import SemanticInfo
from depth_node.config.classes import CITYSCAPES, UNLABELLED
from depth_node.config.network import NetworkConfig
from depth_node.config.pretraining import PretrainConfig
from depth_node.config.semantic import SemanticConfig
from depth_node.config.setting import values, without_folders
from depth_node.config.training import AugmentConfig, LossConfig
from depth_node.datasets.augmentation import Augmentation
from depth_node.datasets.batch_order import BatchOrder
from depth_node.datasets.randomness import Draws, Purpose, generator
from depth_node.datasets.street_looks import StreetBatch
from depth_node.datasets.street_pool import StreetBatches, StreetPool, held_out
from depth_node.datasets.triplets import OFFSETS, TripletDataset
from depth_node.distributed import world_size
from depth_node.errors import TrainingError
from depth_node.geometry.disparity import disparity_to_depth
from depth_node.losses.cross_entropy import semantic_loss
from depth_node.losses.exact_depth import FAR, exact_depth_loss
from depth_node.losses.objective import SelfSupervisedLoss
from depth_node.networks.factory import DepthNetwork, build_depth_network, build_pose_network
from depth_node.networks.layers import channels_last
from depth_node.networks.semantic import SemanticNetwork
from depth_node.training.loop import Learning, Schedule
from depth_node.training.optimizer import schedule
from depth_node.training.run.earlier_run import check_settings
from depth_node.training.run.folder import (
    BEST_FILE,
    LAST_FILE,
    choose_accelerator,
    make_fabric,
    resume_state,
    write_config,
)
from depth_node.training.run.origin import add_origin, describe_data, origin
from depth_node.training.run.state import read_state
from depth_node.training.task import Task, Terms
from depth_node.training.warm_start import start_depth

REFERENCE_FOCAL = 0.58
"""Focal length over width that depths are told for; KITTI's at 640x192."""

RISE = 0.1
"""Share of the steps in which the rate rises."""

SEMANTIC_FOLDER, STREETS_FOLDER = "semantic", "streets"


class StreetTask(Task):
    """What both stages share: the optimizer, and a validation that is a mean over pictures."""

    clip = 1.0

    def __init__(self, config: PretrainConfig) -> None:
        super().__init__()
        self.config = config
        self._seen: list[Mapping[str, Tensor]] = []

    def start_validation(self) -> None:
        """See `Task`."""
        self._seen = []

    def end_validation(self) -> Terms:
        """Means over all pictures."""
        return {name: torch.cat([terms[name] for terms in self._seen]).mean() for name in self.terms}

    def error(self, validated: Mapping[str, float]) -> float:
        """The last of the terms."""
        return validated[self.terms[-1]]

    def rates(self, encoders: Iterable[nn.Module], steps: int, done: int) -> tuple[Optimizer, LambdaLR]:
        """AdamW with a slower rate for `encoders`; one cycle."""
        slow = {id(weight) for encoder in encoders for weight in encoder.parameters()}
        weights = [weight for weight in self.parameters() if weight.requires_grad]
        groups = [
            {"params": [w for w in weights if id(w) in slow], "lr": self.config.encoder_rate},
            {"params": [w for w in weights if id(w) not in slow], "lr": self.config.learning_rate},
        ]
        optimizer = torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=1e-2)
        return optimizer, schedule(optimizer, lambda step: _cycle((step + 1) / steps), done)


class StreetSemantics(StreetTask):
    """A semantic network that learns the streets' classes."""

    terms = ("loss", "wrong")

    def __init__(self, network: SemanticNetwork, config: PretrainConfig, size: tuple[int, int]) -> None:
        """Prepare to train a network, not frozen, on pictures of (H, W) `size`."""
        super().__init__(config)
        self.network, self.size = network, size

    def optimizer(self, steps: int, done: int) -> tuple[Optimizer, LambdaLR]:
        """See `Task`."""
        return self.rates([self.network.model.encoder], steps, done)

    def training_step(self, batch: StreetBatch, step: int) -> tuple[Tensor, Terms]:  # noqa: ARG002
        """Cross entropy of one batch."""
        loss = semantic_loss(self.network(batch.image).logits, batch.labels)
        return loss, {"loss": loss.detach()}

    def validation_step(self, batch: StreetBatch) -> None:
        """Share of wrong pixels beside the loss."""
        logits = self.network(batch.image).logits
        known = batch.labels != UNLABELLED
        predicted = self.network.labels(logits, *batch.labels.shape[-2:])
        wrong = ((predicted != batch.labels) & known).float().sum((1, 2)) / known.sum((1, 2)).clamp_min(1)
        self._seen.append({"loss": semantic_loss(logits, batch.labels).repeat(len(wrong)), "wrong": wrong})

    def save(self, path: Path, steps: int, metrics: Mapping[str, float]) -> None:
        """Write a semantic checkpoint."""
        training = {"steps": steps, "metrics": dict(metrics), "supervision": "exact labels of simulated streets"}
        info = SemanticInfo(self.network.config, self.network.classes, *self.size, training=training)
        save_semantic(path, info, self.network)


class StreetDepth(StreetTask):
    """A depth network that learns exact depth, and from video beside it."""

    terms = ("loss", "video", "abs_rel")
    licence = ""

    def __init__(
        self,
        depth: DepthNetwork,
        semantic: SemanticNetwork | None,
        config: PretrainConfig,
        video: TripletDataset | None = None,
    ) -> None:
        """Prepare to train.

        Args:
            depth: the network.
            semantic: what guides it, frozen.
            config: how to train.
            video: real triplets to learn from too.
        """
        super().__init__(config)
        self.depth = depth
        self.pose = build_pose_network(depth.config) if video else None
        self.video = video
        # Not a submodule: it is frozen, and its statistics must not follow `train()`.
        self._semantic = (semantic,)
        self._objective = SelfSupervisedLoss(LossConfig(), depth.config.min_depth, depth.config.max_depth)
        self._augmentation = Augmentation(AugmentConfig())

    def optimizer(self, steps: int, done: int) -> tuple[Optimizer, LambdaLR]:
        """See `Task`."""
        started = self.depth.pretrained or bool(self.config.initial)
        return self.rates([self.depth.encoder] if started else [], steps, done)

    def training_step(self, batch: StreetBatch, step: int) -> tuple[Tensor, Terms]:
        """Exact depth of one batch, and a half batch of video in the later steps."""
        loss = self._street_loss(batch)
        terms: dict[str, Tensor | float] = {"loss": loss.detach(), "video": 0.0}
        if self.video is not None and step >= self.config.video_from * self.config.steps:
            seen = self._video_loss(self.video, step)
            loss, terms["video"] = loss + self.config.video_weight * seen, seen.detach()
        return loss, terms

    def _street_loss(self, batch: StreetBatch) -> Tensor:
        network, config = self.depth.config, self.config
        disparities = self._disparities(batch.image)
        return exact_depth_loss(
            disparities, batch.depth, network.min_depth, network.max_depth, config.gradient, config.absolute
        )

    def _video_loss(self, video: TripletDataset, step: int) -> Tensor:
        assert self.pose is not None
        count = max(self.config.batch_size // 2, 1)
        order = generator(Purpose.ORDER, self.config.seed, step)
        places = torch.randint(len(video), (count,), generator=order).tolist()
        draws = Draws.of_step(self.config.seed, step, range(count))
        device = next(self.depth.parameters()).device
        clean = self._augmentation.mirror(video.__getitems__(places).to(device).as_input(), draws)
        seen = self._augmentation.jitter(clean, draws)
        disparities = [disparity.float() for disparity in self._disparities(seen.target)]
        motion = self.pose(seen.target, seen.sources, OFFSETS).float()
        return self._objective(disparities, clean.target, clean.sources, clean.K, motion, None, draws.noise).total

    def _disparities(self, image: Tensor) -> list[Tensor]:
        semantic = self._semantic[0]
        if self.depth.guidance is None or semantic is None:
            return self.depth(image)
        with torch.no_grad():
            maps = semantic(image).maps
        return self.depth(image, semantic_maps=maps)

    def validation_step(self, batch: StreetBatch) -> None:
        """The loss, and the median-scaled relative error of what is nearer than `FAR`."""
        network = self.depth.config
        loss = self._street_loss(batch).repeat(len(batch.image))
        finest = self._disparities(batch.image)[:1]
        full = F.interpolate(finest[0].float(), batch.depth.shape[-2:], mode="bilinear", align_corners=False)
        seen = disparity_to_depth(full, network.min_depth, network.max_depth)
        errors = [_abs_rel(one, true) for one, true in zip(seen, batch.depth, strict=True)]
        self._seen.append({"loss": loss, "video": torch.zeros_like(loss), "abs_rel": torch.stack(errors)})

    def save(self, path: Path, steps: int, metrics: Mapping[str, float]) -> None:
        """Write a checkpoint with all networks; the pose network only where video has taught it."""
        network, semantic = self.depth.config, self._semantic[0]
        focal = REFERENCE_FOCAL * network.width
        info = CheckpointInfo(
            network=network,
            camera=TrainingCamera(
                network.width, network.height, focal, focal, (network.width - 1) / 2, (network.height - 1) / 2
            ),
            scale=1.0,
            scale_source="ground_truth",
            semantic=SemanticInfo(semantic.config, semantic.classes) if semantic else None,
            training={
                "steps": steps,
                "metrics": {name: value for name, value in metrics.items() if math.isfinite(value)},
                "supervision": "exact depth of simulated streets" + (", real video" if self.video else ""),
                "settings": without_folders(values(self.config)),
            },
            licence=self.licence,
        )
        save_checkpoint(path, info, self.depth, self.pose, semantic)


@dataclass(frozen=True)
class Pretraining:
    """A pretraining in a run folder; with a guided network its semantic network is a run of its own in `semantic/`.

    Attributes:
        network: the depth network.
        semantic: the semantic network of guided ones.
        config: how to train.
        folder: the run folder.
        streets: where rendered streets are kept; several runs may share it.
        video: real triplets to learn from too.
    """

    network: NetworkConfig
    semantic: SemanticConfig
    config: PretrainConfig
    folder: Path
    streets: Path
    video: TripletDataset | None = None

    def run(self, resume: bool | None = False) -> Path:
        """Train; `resume` as for `fit`. Returns the best checkpoint by unseen streets.

        Raises:
            TrainingError: the folder is in use, a start does not fit, or a guided network has nothing to guide it.
            ConfigError: the run was started with other settings.
        """
        config, network = self.config, self.network
        if world_size() > 1:
            raise TrainingError("pretraining runs in one process: start without torchrun")
        start = load_checkpoint(config.initial) if config.initial else None
        semantic = start.semantic if start and network.guided else None
        if network.guided and semantic is None and not config.semantic_steps:
            raise TrainingError(
                "a guided network needs a semantic one: add --semantic_steps, a quarter of --steps say, or start from "
                "a guided checkpoint with --initial"
            )
        again = resume_state(self.folder, resume)  # before anything is written
        if network.guided and semantic is None:
            semantic = self._learn_semantic()
        accelerator = choose_accelerator(config.device)
        make_fabric(accelerator, config.precision, config.seed)  # seeds the new weights
        depth = build_depth_network(
            network,
            pretrained=config.pretrained and start is None,
            semantic_channels=semantic.channels if semantic else (),
        )
        if start:
            start_depth(depth, start, semantic, Path(config.initial))
        task = StreetDepth(depth, semantic, config, self.video)
        task.licence = start.info.licence if start else ""
        return self._learn(task, self.folder, config, again)

    def _learn_semantic(self) -> SemanticNetwork:
        """The semantic network: learnt, or read where an earlier start has learnt it."""
        config = replace(self.config, steps=self.config.semantic_steps, initial="")
        folder = self.folder / SEMANTIC_FOLDER
        best = folder / BEST_FILE
        again = resume_state(folder, None)
        if again is None or read_state(again)["position"]["step"] < config.steps:
            make_fabric(choose_accelerator(config.device), config.precision, config.seed)
            built = SemanticNetwork(self.semantic, CITYSCAPES, pretrained=config.pretrained)
            size = (self.network.height, self.network.width)
            best = self._learn(StreetSemantics(built, config, size), folder, config, again)
        network = load_semantic(best)[1]
        network.freeze()
        return network

    def _learn(self, task: StreetTask, folder: Path, config: PretrainConfig, again: Path | None) -> Path:
        """Run the loop for one stage."""
        settings = {f"network.{name}": value for name, value in values(self.network).items()} | values(config)
        if again:
            check_settings(folder, settings)
        state = read_state(again) if again else None
        channels_last(task)
        fabric, scaler = make_fabric(choose_accelerator(config.device), config.precision, config.seed)
        clear_partial(folder)
        write_config(folder, settings)
        worlds, size = config.worlds, (self.network.height, self.network.width)
        numbers = range(worlds.first, worlds.first + worlds.streets)
        frames = [f"{number}/{frame}" for number in numbers for frame in range(worlds.frames)]
        places = {"streets": str(self.streets.resolve())}
        add_origin(folder, origin(describe_data(frames, []), places))
        order = BatchOrder(max(len(frames), config.batch_size), config.batch_size, config.steps, config.seed)
        focal = REFERENCE_FOCAL * self.network.width
        for part in getattr(task, "_semantic", ()):
            if part is not None:
                part.to(fabric.device)
        every = min(config.save_every, config.steps)
        when = Schedule(order, config.log_every, config.save_every, every)
        learning = Learning(task, fabric, scaler, when, folder, state, config.ema)
        batches = StreetBatches(config, size, focal, order, StreetPool(worlds, fabric.device, self.streets))
        learning.run(batches, held_out(config, size, focal, fabric.device, self.streets))
        best = folder / BEST_FILE
        return best if best.exists() else folder / LAST_FILE


def _abs_rel(seen: Tensor, true: Tensor) -> Tensor:
    """Median-scaled relative error of one picture; 0 where it has nothing near."""
    valid = (true > 0) & (true < FAR)
    if not bool(valid.any()):
        return true.new_zeros(())
    predicted, wanted = seen[valid], true[valid]
    predicted = predicted * (wanted.median() / predicted.median())
    return ((predicted - wanted).abs() / wanted).mean()


def _cycle(share: float) -> float:
    """Rate over highest rate: up in a line, then down a half cosine."""
    if share < RISE:
        return share / RISE
    return 0.5 * (1 + math.cos(math.pi * min((share - RISE) / (1 - RISE), 1.0))) + 1e-3
