# Copyright 2026 The depth_node authors
# SPDX-License-Identifier: Apache-2.0
"""Learning from simulated streets with exact depth, and from real video beside them.

A network that has seen many streets through many cameras knows what lies where on a real road before it has seen one;
video then teaches what the simulation does not have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from depth_node.camera.network_view import TrainingCamera
from depth_node.checkpoints.depth import CheckpointInfo, save_checkpoint
from depth_node.checkpoints.semantic_info import SemanticInfo
from depth_node.config.classes import CITYSCAPES
from depth_node.config.network import NetworkConfig
from depth_node.config.pretraining import PretrainConfig, WorldsConfig
from depth_node.config.semantic import SemanticConfig
from depth_node.config.setting import values
from depth_node.config.training import AugmentConfig, LossConfig
from depth_node.datasets.augmentation import Augmentation
from depth_node.datasets.randomness import Draws
from depth_node.datasets.street_looks import StreetBatch, look
from depth_node.datasets.triplets import OFFSETS, TripletDataset
from depth_node.errors import TrainingError
from depth_node.losses.cross_entropy import semantic_loss
from depth_node.losses.exact_depth import exact_depth_loss
from depth_node.losses.objective import SelfSupervisedLoss
from depth_node.networks.factory import DepthNetwork, build_depth_network, build_pose_network
from depth_node.networks.layers import channels_last
from depth_node.networks.semantic import SemanticNetwork
from depth_node.simulation.worlds import StreetFrames, render_streets

REFERENCE_FOCAL = 0.58
"""Focal length over width that depths are told for; KITTI's at 640x192."""

RISE = 0.1
"""Share of the steps in which the rate rises."""

Report = Callable[[str, int, Tensor], None]
"""Told the stage, the step and the loss (still on the device), after each step."""


@dataclass
class StreetPool:
    """The newest rendered frames, on the device that trains; filled in an order that does not depend on time."""

    config: WorldsConfig
    device: torch.device
    count: int = 0
    images: Tensor = field(init=False)
    depths: Tensor = field(init=False)
    labels: Tensor = field(init=False)
    focal: Tensor = field(init=False)

    def __post_init__(self) -> None:
        """Make room; rendering starts with the first frames that are asked for."""
        size = (self.config.pool, self.config.height, self.config.width)
        self.images = torch.zeros(*size, 3, dtype=torch.uint8, device=self.device)
        self.depths = torch.zeros(size, dtype=torch.float16, device=self.device)
        self.labels = torch.zeros(size, dtype=torch.uint8, device=self.device)
        self.focal = torch.zeros(self.config.pool, device=self.device)
        self._streets: Iterator[StreetFrames] = render_streets(self.config)

    def fill_to(self, frames: float) -> None:
        """Wait until at least this many frames have come in, or all have."""
        total = self.config.streets * self.config.frames
        while self.count < min(frames, total):
            street = next(self._streets)
            for image, depth, labels in zip(street.images, street.depths, street.labels, strict=True):
                place = self.count % self.config.pool
                self.images[place] = torch.from_numpy(image)
                self.depths[place] = torch.from_numpy(depth)
                self.labels[place] = torch.from_numpy(labels)
                self.focal[place] = float(street.K[0, 0])
                self.count += 1

    def draw(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Images, depths, labels and focal lengths of random frames of the pool."""
        places = torch.randint(min(self.count, self.config.pool), (batch,), generator=generator).to(self.device)
        return self.images[places], self.depths[places], self.labels[places], self.focal[places]


class Pretrainer:
    """One run: a semantic network where the depth network is guided, then the depth network."""

    def __init__(
        self,
        network: NetworkConfig,
        semantic: SemanticConfig,
        config: PretrainConfig,
        device: torch.device,
        video: TripletDataset | None = None,
        report: Report = lambda *_: None,
    ) -> None:
        """Build the networks and start rendering.

        Args:
            network: the depth network; guided ones need `config.semantic_steps`.
            semantic: the semantic network of guided ones.
            config: how to train.
            device: where.
            video: real triplets to learn from too, or None.
            report: told about every step.

        Raises:
            TrainingError: a guided network without steps for its semantic network.
        """
        if network.guided and not config.semantic_steps:
            raise TrainingError("a guided network needs a semantic one: set semantic_steps, to a quarter of steps say")
        torch.manual_seed(config.seed)
        self.config, self.network_config, self.device = config, network, device
        self.video, self.report = video, report
        self.semantic = SemanticNetwork(semantic, CITYSCAPES, pretrained=True) if config.semantic_steps else None
        channels = self.semantic.channels if self.semantic else ()
        self.depth: DepthNetwork = build_depth_network(network, pretrained=True, semantic_channels=channels)
        self.pose = build_pose_network(network)
        for net in (self.semantic, self.depth, self.pose):
            if net is not None:
                channels_last(net.to(device))
        self.pool = StreetPool(config.worlds, device)
        self.generator = torch.Generator().manual_seed(config.seed)
        self.steps_done = 0
        self._frames_due = float(config.worlds.start)

    def train_semantic(self) -> None:
        """Teach the semantic network the streets' classes, then freeze it."""
        assert self.semantic is not None
        optimizer, schedule = self._optimizer(
            [self.semantic.model.encoder], [self.semantic], self.config.semantic_steps
        )
        self.semantic.train()
        for step in range(self.config.semantic_steps):
            batch = self._batch()
            with self._autocast():
                logits = self.semantic(batch.image).logits
            loss = semantic_loss(logits, batch.labels)
            self._step(loss, optimizer, schedule)
            self.report("semantic", step + 1, loss.detach())
        self.semantic.freeze()

    def train_depth(self, until: int | None = None) -> None:
        """Teach the depth network, on to step `until` or to the end."""
        config = self.config
        if self.steps_done == 0:
            encoders = [self.depth.encoder] if self.depth.pretrained else []
            self._tools = self._optimizer(encoders, [self.depth, self.pose], config.steps)
            self._objective = SelfSupervisedLoss(
                LossConfig(), self.network_config.min_depth, self.network_config.max_depth
            )
            self._augmentation = Augmentation(AugmentConfig())
        self.depth.train()
        self.pose.train()
        for step in range(self.steps_done, until or config.steps):
            loss = self._street_loss(self._batch())
            if self.video is not None and step >= config.video_from * config.steps:
                loss = loss + config.video_weight * self._video_loss(step)
            self._step(loss, *self._tools)
            self.steps_done = step + 1
            self.report("depth", step + 1, loss.detach())

    def _batch(self) -> StreetBatch:
        worlds, size = self.config.worlds, (self.network_config.height, self.network_config.width)
        self._frames_due += worlds.per_step
        self.pool.fill_to(self._frames_due)
        frames = self.pool.draw(self.config.batch_size, self.generator)
        focal = REFERENCE_FOCAL * self.network_config.width
        return look(*frames, size, focal, self.config.looks, self.generator)

    def _street_loss(self, batch: StreetBatch) -> Tensor:
        with self._autocast():
            disparities = self._disparities(batch.image)
        network, config = self.network_config, self.config
        return exact_depth_loss(
            disparities, batch.depth, network.min_depth, network.max_depth, config.gradient, config.absolute
        )

    def _video_loss(self, step: int) -> Tensor:
        assert self.video is not None
        count = max(self.config.batch_size // 2, 1)
        places = torch.randint(len(self.video), (count,), generator=self.generator).tolist()
        draws = Draws.of_step(self.config.seed, step, range(count))
        clean = self._augmentation.mirror(self.video.__getitems__(places).to(self.device).as_input(), draws)
        seen = self._augmentation.jitter(clean, draws)
        with self._autocast():
            disparities = self._disparities(seen.target)
            motion = self.pose(seen.target, seen.sources, OFFSETS)
        disparities = [disparity.float() for disparity in disparities]
        return self._objective(
            disparities, clean.target, clean.sources, clean.K, motion.float(), None, draws.noise
        ).total

    def _disparities(self, image: Tensor) -> list[Tensor]:
        if self.depth.guidance is None or self.semantic is None:
            return self.depth(image)
        with torch.no_grad():
            maps = self.semantic(image).maps
        return self.depth(image, semantic_maps=maps)

    def _optimizer(
        self, encoders: Sequence[nn.Module], networks: Sequence[nn.Module], steps: int
    ) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
        slow = {id(weight) for encoder in encoders for weight in encoder.parameters()}
        weights = [weight for network in networks for weight in network.parameters() if weight.requires_grad]
        groups = [
            {"params": [w for w in weights if id(w) in slow], "lr": self.config.encoder_rate},
            {"params": [w for w in weights if id(w) not in slow], "lr": self.config.learning_rate},
        ]
        optimizer = torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=1e-2)
        return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _cycle((step + 1) / steps))

    def _step(
        self, loss: Tensor, optimizer: torch.optim.Optimizer, schedule: torch.optim.lr_scheduler.LRScheduler
    ) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in optimizer.param_groups:
            nn.utils.clip_grad_norm_(group["params"], 1.0)
        optimizer.step()
        schedule.step()

    def _autocast(self) -> torch.autocast:
        half = self.config.precision == "bf16" or (self.config.precision == "auto" and self.device.type == "cuda")
        return torch.autocast(self.device.type, torch.bfloat16, enabled=half)

    def save(self, path: Path, half: bool = False) -> None:
        """Write a checkpoint with all networks; the pose network only where video has taught it."""
        network = self.network_config
        focal = REFERENCE_FOCAL * network.width
        info = CheckpointInfo(
            network=network,
            camera=TrainingCamera(
                network.width, network.height, focal, focal, (network.width - 1) / 2, (network.height - 1) / 2
            ),
            scale=1.0,
            scale_source="ground_truth",
            semantic=SemanticInfo(self.semantic.config, self.semantic.classes) if self.semantic else None,
            training={"steps": self.steps_done, "frames": self.pool.count, "settings": values(self.config)},
        )
        save_checkpoint(path, info, self.depth, self.pose if self.video else None, self.semantic, half)


def _cycle(share: float) -> float:
    """Rate over highest rate: up in a line, then down a half cosine."""
    if share < RISE:
        return share / RISE
    return 0.5 * (1 + math.cos(math.pi * min((share - RISE) / (1 - RISE), 1.0))) + 1e-3
